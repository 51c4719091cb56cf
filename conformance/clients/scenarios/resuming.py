"""What a client does when the connection breaks in the middle of a blob."""

from __future__ import annotations

import hashlib
from pathlib import Path

from conformance.clients import native, samples
from conformance.clients.client import Client
from conformance.clients.evidence import read_tree, tree_differences
from conformance.clients.proxy import Cut, proxied
from conformance.clients.scene import Scene, StepFailed, expect, expect_equal

SIZE = 8 << 20
CUT_AFTER = 5 << 20


def push_after_cut(client: Client, scene: Scene) -> None:
    """A push that is cut in the middle of a blob shows nothing of it, or goes on; the same push again succeeds."""
    content = client.content(scene)
    _file(scene).rename(content / "large.bin")
    with proxied(scene.registry.host, Cut("up", CUT_AFTER)) as proxy:
        try:
            client.push(scene.through(proxy.host), "1", content)
        except StepFailed:
            expect("v1.manifest.stored" not in native.event_kinds(scene), "a push that failed left a manifest")
            expect_equal(scene.registry.ask("GET", native.package_path(scene, "1")).status, 404, "the package's status")
        expect(proxy.cut_made, "nothing was cut")
    client.push(scene, "1", content)
    native.expect_package(scene, "1", client.kind)
    differences = tree_differences(read_tree(content), read_tree(client.pull(scene, "1")))
    expect(not differences, f"the pulled tree differs: {differences[:10]}")


def resume_push(client: Client, scene: Scene) -> None:
    """After a cut in the middle of a push the client goes on where the registry says, and the blob is whole."""
    file = _file(scene)
    with proxied(scene.registry.host, Cut("up", CUT_AFTER)) as proxy:
        client.put_blob(scene.through(proxy.host), file)
        expect(proxy.cut_made, "nothing was cut")
        starts = [int(head.headers["content-range"].partition("-")[0]) for head in proxy.asked("PATCH")]
    expect(any(start > 0 for start in starts), f"no chunk goes on after the cut, they begin at {starts}")
    digest = samples.file_digest(file)
    answer = scene.registry.must(200, "HEAD", f"/v2/{scene.repository}/blobs/{digest}")
    expect_equal(answer.headers["content-length"], str(SIZE), "the blob's size")
    linked = [(payload["digest"], payload["object"]["size"]) for payload in native.payloads(scene, "v1.blob.linked")]
    expect_equal(linked, [(digest, SIZE)], "the blobs in the log")


def resume_pull(client: Client, scene: Scene) -> None:
    """After a cut in the middle of a pull the client asks for the rest by a range, and has the same bytes."""
    file = _file(scene)
    package = samples.artifact_in(scene, "1", file.read_bytes())
    digest = samples.file_digest(file)
    with proxied(scene.registry.host, Cut("down", CUT_AFTER)) as proxy:
        client.get_blob(scene.through(proxy.host), digest, scene.workspace / "pulled.bin")
        expect(proxy.cut_made, "nothing was cut")
        ranges = [head.headers["range"] for head in proxy.asked("GET", digest) if "range" in head.headers]
    expect(bool(ranges), "no request asked for a range")
    expect_equal(samples.file_digest(scene.workspace / "pulled.bin"), digest, "the pulled bytes")
    expect_equal([file["digests"]["sha256"] for file in native.files(scene, package)], [digest], "the package's file")


def _file(scene: Scene) -> Path:
    """Bytes no part of which looks like another."""
    file = scene.workspace / "blob.bin"
    file.write_bytes(hashlib.shake_128(scene.repository.encode()).digest(SIZE))
    return file
