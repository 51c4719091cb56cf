"""Lists of packages leave out what an index of the repository lists, at every moment."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from artifactstore.bootstrap import open_database
from artifactstore.events import replay
from artifactstore.identity.actor import ANONYMOUS
from artifactstore.identity.names import RepositoryName
from artifactstore.registry.registry import Registry
from tests.stores import INDEX, fresh_config, fresh_registry, image, index, push_blob, push_manifest, sha256

NAME = RepositoryName("acme/many")
ONE, TWO, THREE = (image([], annotations={"number": str(number)}) for number in range(3))


@pytest_asyncio.fixture
async def registry(tmp_path: Path) -> AsyncIterator[Registry]:
    """A store that accepts an index before its members; in the end its views must be those of its log."""
    opened = fresh_registry(tmp_path / "store", unsafe_no_sync=True, sparse_repositories=("acme",))
    await push_blob(opened, NAME, b"{}")
    yield opened
    assert replay.check(open_database(fresh_config(tmp_path / "store"))).differences == ()
    await opened.close()


async def push(registry: Registry, *manifests: bytes, repository: str = NAME) -> None:
    """Push manifests by digest."""
    for manifest in manifests:
        media_type = INDEX if b"manifests" in manifest else "application/vnd.oci.image.manifest.v1+json"
        await push_manifest(registry, repository, str(sha256(manifest)), manifest, media_type)


async def delete(registry: Registry, manifest: bytes) -> None:
    """Delete a manifest."""
    await registry.delete_manifest(ANONYMOUS, NAME, sha256(manifest))


async def listed(registry: Registry, *, members: bool = False) -> list[str]:
    """The digests of a list, newest first."""
    found = await registry.packages(ANONYMOUS, repository=NAME, members=members, limit=100)
    return [package.digests["sha256"] for package in found]


def digests(*manifests: bytes) -> list[str]:
    """The digests of manifests."""
    return [str(sha256(manifest)) for manifest in manifests]


async def test_what_an_index_listed_is_shown_again_when_it_goes(registry: Registry) -> None:
    """Unless another index lists it too; those of other repositories do not count."""
    first, second = index([ONE, TWO]), index([TWO, THREE])
    await push(registry, ONE, TWO, THREE, first, second)
    await push_blob(registry, "acme/other", b"{}")
    await push(registry, ONE, index([ONE]), repository="acme/other")
    assert await listed(registry) == digests(second, first)
    await delete(registry, first)
    assert await listed(registry) == digests(second, ONE)
    assert await listed(registry, members=True) == digests(second, THREE, TWO, ONE)
    await delete(registry, second)
    assert await listed(registry) == digests(THREE, TWO, ONE)


async def test_a_member_may_come_after_its_index(registry: Registry) -> None:
    """It is left out from the beginning, also when it was deleted and pushed again, and an index in an index is."""
    inner = index([ONE])
    outer = index([inner, TWO])
    await push(registry, outer)
    await push(registry, inner, TWO, ONE)
    assert await listed(registry) == digests(outer)
    await delete(registry, TWO)
    await push(registry, TWO)
    assert await listed(registry) == digests(outer)
    assert await listed(registry, members=True) == digests(TWO, ONE, inner, outer)
    await delete(registry, outer)
    assert await listed(registry) == digests(TWO, inner)


async def test_a_member_is_known_by_every_digest(registry: Registry) -> None:
    """An index that names its members by sha512 or blake3 lists them as one that names them by sha256."""
    await push(registry, ONE, TWO)
    names = {}
    for manifest, algorithm in ((ONE, "sha512"), (TWO, "blake3")):
        (package,) = await registry.packages(ANONYMOUS, digest=sha256(manifest), limit=10)
        names[str(sha256(manifest))] = package.digests[algorithm]
    made = index([ONE, TWO])
    for digest, name in names.items():
        made = made.replace(digest.encode(), name.encode())
    await push(registry, made)
    assert await listed(registry) == digests(made)
    await delete(registry, made)
    assert await listed(registry) == digests(TWO, ONE)
