"""Packages that clients describe oddly or largely: no request fails or holds up others because of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from artifactstore.errors import ManifestInvalid
from artifactstore.identity.actor import ANONYMOUS
from artifactstore.identity.names import RepositoryName, TagName
from artifactstore.registry.registry import Registry
from tests.stores import IMAGE, descriptor, fresh_registry, image, push_blob, push_manifest

NAME = "acme/odd"
REPOSITORY, TAG = RepositoryName(NAME), TagName("v1")
FOREIGN = "application/vnd.oci.image.layer.nondistributable.v1.tar"


@pytest_asyncio.fixture
async def registry(tmp_path: Path) -> AsyncIterator[Registry]:
    """A store that accepts manifests without their content."""
    opened = fresh_registry(tmp_path / "store", unsafe_no_sync=True, sparse_repositories=("acme",))
    await push_blob(opened, NAME, b"{}")
    yield opened
    await opened.close()


def with_layers(layers: list[dict[str, object]]) -> bytes:
    """An image manifest of given layers."""
    return json.dumps({**json.loads(image([])), "layers": layers}).encode()


async def test_layers_too_large_to_add_up_are_refused(registry: Registry) -> None:
    """Sizes that are each allowed and together beyond 2^53-1 are the client's mistake, not a failure of the store."""
    foreign = [{"mediaType": FOREIGN, "digest": f"sha256:{n:064x}", "size": 2**53 - 1} for n in range(1100)]
    with pytest.raises(ManifestInvalid, match="together") as refusal:
        await push_manifest(registry, NAME, "v1", with_layers(foreign))
    assert refusal.value.detail["path"] == "/layers"
    await push_manifest(registry, NAME, "v1", with_layers(foreign[:1]))


async def test_late_bytes_are_served_at_their_own_size(registry: Registry) -> None:
    """A file whose bytes came after its manifest, and are not as many as it says, has the size of its bytes."""
    title = {"org.opencontainers.image.title": "late"}
    await push_manifest(
        registry, NAME, "v1", with_layers([descriptor(b"late bytes", annotations=title) | {"size": 999}])
    )
    (before,) = await registry.files(ANONYMOUS, REPOSITORY, TAG, limit=10)
    assert (before.row.size, before.present) == (999, False)
    await push_blob(registry, NAME, b"late bytes")
    file, content = await registry.file(ANONYMOUS, REPOSITORY, TAG, "late")
    assert (file.row.size, content.size) == (10, 10)


async def test_a_long_page_lets_others_run(registry: Registry) -> None:
    """Describing a thousand files gives other tasks of the event loop their turns."""
    layers = [descriptor(str(number).encode(), IMAGE) for number in range(1000)]
    await push_manifest(registry, NAME, "v1", with_layers(layers))
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    assert len(await registry.files(ANONYMOUS, REPOSITORY, TAG, limit=1000)) == 1000
    task.cancel()
    assert turns >= 5
