"""What a copy does, whatever it copies from and to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from artifactstore import bootstrap
from artifactstore.errors import NotFound
from artifactstore.identity.actor import ANONYMOUS
from artifactstore.identity.names import TagName
from artifactstore.registry.registry import Registry
from artifactstore.transfer import LocalRepository, Root, copy
from tests.transfers import (
    HERE,
    V1,
    Graph,
    Place,
    in_directory,
    in_memory,
    in_tar,
    manifests_below,
    on_registry,
    on_server,
    populate,
)

Making = Callable[[Path], AbstractAsyncContextManager[Place]]
KINDS: dict[str, Making] = {
    "memory": in_memory,
    "directory": in_directory,
    "tar": in_tar,
    "server": on_server,
    "registry": on_registry,
}


@pytest.fixture
async def registry() -> AsyncIterator[Registry]:
    """A store that copies are made from."""
    opened = bootstrap.open_memory()
    yield opened
    await opened.close()


@pytest.fixture
async def graph(registry: Registry) -> Graph:
    """What is in it."""
    return await populate(registry)


@pytest.fixture
def source(registry: Registry) -> LocalRepository:
    """The repository that has it."""
    return LocalRepository(registry, ANONYMOUS, HERE)


@pytest.fixture(params=list(KINDS))
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    """Where it is copied to: one of each kind."""
    async with KINDS[request.param](tmp_path) as made:
        yield made


async def test_a_graph_arrives_whole(graph: Graph, source: LocalRepository, place: Place) -> None:
    """Members, blobs and the root come, byte for byte, under the tag, and nothing that only refers to them."""
    report = await copy(source, place.target, [Root(V1, TagName("copied"))])
    async with place.finished() as there:
        found = await manifests_below(there, Root(TagName("copied")))
    assert found.keys() == graph.plain
    assert (report.manifests_copied, report.blobs_copied, report.referrers) == (3, 4, 0)
    assert [(copied.tag, copied.content.digest) for copied in report.roots] == [("copied", graph.root)]


async def test_referrers_come_along(graph: Graph, source: LocalRepository, place: Place) -> None:
    """What refers to the root, to a member or to a referrer comes too, and what a cosign tag attaches with its tag."""
    report = await copy(source, place.target, [Root(V1, V1)], referrers=True)
    async with place.finished() as there:
        found = await manifests_below(there, Root(V1))
        assert (await there.resolve(TagName(f"sha256-{graph.root.hex}.sig"))).digest == graph.attached
    assert found.keys() == graph.every
    assert report.referrers == 4


async def test_a_copy_by_digest_sets_no_tag(graph: Graph, source: LocalRepository, place: Place) -> None:
    """Without a tag for the target the manifest is there under its digest alone."""
    await copy(source, place.target, [Root(graph.members[0])])
    async with place.finished() as there:
        assert (await there.resolve(graph.members[0])).digest == graph.members[0]
        assert [tag async for tag in there.tags()] == []


async def test_an_unknown_root_is_an_error(graph: Graph, source: LocalRepository, place: Place) -> None:
    """A tag that the source does not have ends the copy, and nothing is tagged."""
    with pytest.raises(NotFound):
        await copy(source, place.target, [Root(TagName("absent"), TagName("absent"))])
    async with place.finished() as there:
        with pytest.raises(NotFound):
            await there.resolve(TagName("absent"))
