"""The same input gives the same digests on every machine: for every actor, date, directory, database and order."""

from __future__ import annotations

from pathlib import Path

from artifactstore.bootstrap import open_memory, system_clock
from artifactstore.dataplane.spi import one_chunk
from artifactstore.identity.actor import Principal
from artifactstore.identity.digest import Digest, digest_bytes
from artifactstore.identity.names import RepositoryName, TagName
from artifactstore.registry.registry import Registry
from tests.stores import IMAGE, INDEX, descriptor, fresh_registry, image, index, sha256

YEAR = 365 * 86_400_000_000
NAME = RepositoryName("acme/reports")
LAYERS = (b"report", b"", b"log " * 1000)
MANIFEST = image(LAYERS, annotations={"org.opencontainers.image.created": "2025-10-11T12:00:00Z", "suite": "tck"})
SIGNATURE = image((b"signature",), artifactType="application/x.signature", subject=descriptor(MANIFEST, IMAGE))
INDEX_BYTES = index([MANIFEST])


async def produce(registry: Registry, actor: str, *, history: bool) -> dict[str, tuple[Digest, bytes]]:
    """Push the same things and return each package's native manifest; `history`: after much else happened there."""
    principal = Principal(actor)
    if history:
        for algorithm in ("sha512", "blake3"):
            source = one_chunk(LAYERS[0])
            await registry.push_blob(principal, RepositoryName("x"), source, digest_bytes(algorithm, LAYERS[0]))
    for data in (b"{}", *LAYERS, b"signature")[:: -1 if history else 1]:
        await registry.push_blob(principal, NAME, one_chunk(data), sha256(data))
    natives = {}
    for tag, body, media_type in (("m", MANIFEST, IMAGE), ("s", SIGNATURE, IMAGE), ("i", INDEX_BYTES, INDEX)):
        await registry.push_manifest(principal, NAME, TagName(tag), body, media_type=media_type)
        manifest, digest = await registry.native_manifest(principal, NAME, TagName(tag))
        natives[tag] = (digest, manifest)
    return natives


async def test_same_input_same_digests(tmp_path: Path) -> None:
    """Native manifests are byte for byte the same for two users, dates, directories, backends and histories."""
    one = fresh_registry(tmp_path / "one")
    two = fresh_registry(tmp_path / "elsewhere" / "two", clock=lambda: system_clock() + 3 * YEAR)
    three = open_memory()
    first = await produce(one, "user:1", history=False)
    assert await produce(two, "key:ci", history=True) == first
    assert await produce(three, "anonymous", history=True) == first
    assert len({digest for digest, _ in first.values()}) == 3
    assert (await one.head()).log_id != (await two.head()).log_id
    for registry in (one, two, three):
        await registry.close()
