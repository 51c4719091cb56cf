"""A blob larger than 2 GiB."""

from __future__ import annotations

import hashlib
from pathlib import Path

from conformance.clients import native, samples
from conformance.clients.client import Client
from conformance.clients.proxy import proxied
from conformance.clients.scene import Scene, expect, expect_equal

BLOCK_SIZE = 1 << 20
SIZE = (2 << 30) + BLOCK_SIZE


def large_blob(client: Client, scene: Scene) -> None:
    """More than 2 GiB arrive in one request, of a length told before or by chunked transfer, and can be removed."""
    file = _file(scene)
    digest = samples.file_digest(file)
    with proxied(scene.registry.host) as proxy:
        client.push_large(scene.through(proxy.host), "1", file)
        bodies = [head.headers for head in proxy.asked("PATCH") + proxy.asked("PUT", "/blobs/uploads/")]
    sent = [headers.get("content-length", headers.get("transfer-encoding")) for headers in bodies]
    expect_equal(sent.count(client.large_body or str(SIZE)), 1, f"requests that bring the blob, among {sent}")
    native.expect_package(scene, "1", client.kind)
    (stored,) = native.files(scene, "1")
    expect(stored["size"] >= SIZE, f"the package's file has {stored['size']} bytes")
    if client.sends_as_is:
        expect_equal((stored["size"], stored["digests"]["sha256"]), (SIZE, digest), "size and digest of the file")
    if client.names_files:
        expect_equal(samples.file_digest(client.pull(scene, "1") / file.name), digest, "the pulled bytes")
    _remove(scene, stored["digests"]["sha256"])


def _file(scene: Scene) -> Path:
    """A file too random to be compressed: a block is longer than what compressors look back upon."""
    file = scene.folder("large") / "large.bin"
    block = hashlib.shake_128(b"large").digest(BLOCK_SIZE)
    with file.open("wb") as target:
        for _ in range(SIZE // BLOCK_SIZE):
            target.write(block)
    return file


def _remove(scene: Scene, blob: str) -> None:
    """Take the blob from the repository, so that the next client cannot mount it."""
    package, _ = native.manifest(scene, "1")
    for path in (f"manifests/{package}", f"blobs/{blob}"):
        scene.registry.must(202, "DELETE", f"/v2/{scene.repository}/{path}")
    unlinked = [payload["digest"] for payload in native.payloads(scene, "v1.blob.unlinked")]
    expect_equal(unlinked, [blob], "the unlinked blobs in the log")
