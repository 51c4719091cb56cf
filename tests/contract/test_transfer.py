"""What a copy does, whatever it copies from and to."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from artifactstore import bootstrap
from artifactstore.errors import DigestInvalid, NotFound
from artifactstore.identity.actor import ANONYMOUS
from artifactstore.identity.names import RepositoryName, TagName
from artifactstore.registry.registry import Registry
from artifactstore.transfer import Amounts, LocalRepository, Root, copy
from artifactstore.transfer.agreement import require_same_package
from tests.stores import descriptor, fresh_registry, image, index, push_blob, push_image, push_manifest, sha256
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


async def test_a_second_copy_carries_nothing(graph: Graph, source: LocalRepository, place: Place) -> None:
    """What is there is not brought again, and the tag still moves."""
    await copy(source, place.target, [Root(V1, V1)], referrers=True)
    again = await copy(source, place.target, [Root(TagName("one"), V1)], referrers=True)
    assert (again.blobs_copied, again.bytes_copied) == (0, 0)
    async with place.finished() as there:
        assert (await there.resolve(V1)).digest == graph.members[0]


async def test_every_job_count_gives_the_same(graph: Graph, source: LocalRepository, place: Place) -> None:
    """One transfer at a time gets as far as many."""
    await copy(source, place.target, [Root(V1, V1), Root(TagName("two"), TagName("two"))], referrers=True, jobs=1)
    async with place.finished() as there:
        assert (await manifests_below(there, Root(V1))).keys() == graph.every
        assert {str(tag) async for tag in there.tags()} == {"v1", "two", f"sha256-{graph.root.hex}.sig"}


async def test_progress_ends_where_it_should(graph: Graph, source: LocalRepository, place: Place) -> None:
    """Bytes and items that are done never pass what is known to be there, and reach it at the end."""
    seen: list[tuple[int, int, int, int]] = []

    def note(amounts: Amounts) -> None:
        seen.append((amounts.items_done, amounts.items_total, amounts.bytes_done, amounts.bytes_total))

    await copy(source, place.target, [Root(V1, V1)], on_progress=note)
    assert all(row[0] <= row[1] and row[2] <= row[3] for row in seen)
    assert seen[-1][0] == seen[-1][1] == 7
    assert seen[-1][2] == seen[-1][3] == 2 + 2 * 3000 + 6000


@pytest.mark.parametrize("missing", ["blob", "member"])
async def test_missing_content_leaves_nothing_tagged(missing: str, place: Place, tmp_path: Path) -> None:
    """A manifest whose content the source lacks ends the copy with the name of what is missing, and no tag is set."""
    registry = fresh_registry(tmp_path / "sparse", sparse_repositories=("sparse",), unsafe_no_sync=True)
    try:
        body = image([b"never pushed"]) if missing == "blob" else index([image([b"never pushed"])])
        kind = "manifest" if missing == "blob" else "index"
        await push_manifest(registry, "sparse/x", "v1", body, f"application/vnd.oci.image.{kind}.v1+json")
        source = LocalRepository(registry, ANONYMOUS, RepositoryName("sparse/x"))
        with pytest.raises(NotFound):
            await copy(source, place.target, [Root(V1, V1)])
    finally:
        await registry.close()
    async with place.finished() as there:
        with pytest.raises(NotFound):
            await there.resolve(V1)


async def test_digests_that_nobody_can_check(place: Place, tmp_path: Path) -> None:
    """Content under a digest of an unknown algorithm ends the copy with the name of the manifest."""
    registry = fresh_registry(tmp_path / "sparse", sparse_repositories=("sparse",), unsafe_no_sync=True)
    try:
        layer = {"mediaType": "text/plain", "digest": "sha384:" + "0" * 96, "size": 1}
        body = json.dumps(json.loads(image([])) | {"layers": [layer]}).encode()
        await push_blob(registry, "sparse/x", b"{}")
        await push_manifest(registry, "sparse/x", "v1", body)
        source = LocalRepository(registry, ANONYMOUS, RepositoryName("sparse/x"))
        with pytest.raises(DigestInvalid, match=str(sha256(body))):
            await copy(source, place.target, [Root(V1, V1)])
    finally:
        await registry.close()


async def test_what_need_not_be_distributed_may_be_missing(registry: Registry, place: Place) -> None:
    """A layer of a foreign type is copied where the source has it, and passed over where it has not."""
    held, gone = b"held", b"gone"
    foreign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
    await push_blob(registry, "from/here", b"{}")
    await push_blob(registry, "from/here", held)
    layers = [descriptor(held, foreign), descriptor(gone, foreign)]
    body = json.dumps(json.loads(image([])) | {"layers": layers}).encode()
    await push_manifest(registry, "from/here", "v1", body)
    report = await copy(LocalRepository(registry, ANONYMOUS, HERE), place.target, [Root(V1, V1)])
    assert report.blobs_copied == 2
    async with place.finished() as there:
        assert (await manifests_below(there, Root(V1))).keys() == {sha256(body)}


async def test_docker_images_and_lists(registry: Registry, place: Place) -> None:
    """Docker's media types are copied as they are."""
    docker = "application/vnd.docker.distribution.manifest"
    for data in (b"{}", b"layer"):
        await push_blob(registry, "from/here", data)
    member = image([b"layer"], mediaType=f"{docker}.v2+json")
    await push_manifest(registry, "from/here", str(sha256(member)), member, f"{docker}.v2+json")
    members = [descriptor(member, f"{docker}.v2+json", platform={"os": "linux", "architecture": "amd64"})]
    listed = json.dumps({"schemaVersion": 2, "mediaType": f"{docker}.list.v2+json", "manifests": members}).encode()
    await push_manifest(registry, "from/here", "v1", listed, f"{docker}.list.v2+json")
    await copy(LocalRepository(registry, ANONYMOUS, HERE), place.target, [Root(V1, V1)])
    async with place.finished() as there:
        assert (await there.resolve(V1)).media_type == f"{docker}.list.v2+json"
        assert (await manifests_below(there, Root(V1))).keys() == {sha256(member), sha256(listed)}


async def test_an_index_of_layers(registry: Registry, place: Place) -> None:
    """The index that BuildKit keeps its cache in lists blobs, which are copied as blobs."""
    layer = b"\x1f\x8b layer"
    for data in (b'{"layers": []}', layer):
        await push_blob(registry, "from/here", data)
    cache = descriptor(b'{"layers": []}', "application/vnd.buildkit.cacheconfig.v0")
    layered = descriptor(layer, "application/vnd.oci.image.layer.v1.tar+gzip")
    body = json.dumps(json.loads(index([])) | {"manifests": [layered, cache]}).encode()
    await push_manifest(registry, "from/here", "v1", body, "application/vnd.oci.image.index.v1+json")
    report = await copy(LocalRepository(registry, ANONYMOUS, HERE), place.target, [Root(V1, V1)])
    assert (report.manifests_copied, report.blobs_copied) == (1, 2)
    async with place.finished() as there:
        assert (await manifests_below(there, Root(V1))).keys() == {sha256(body)}


async def test_attachments_that_go_round_in_circles(registry: Registry, place: Place) -> None:
    """Two manifests that are tagged as each other's signature are copied once, and the copy ends."""
    one, _ = await push_image(registry, "from/here", "v1", [b"one"])
    two, _ = await push_image(registry, "from/here", f"sha256-{sha256(one).hex}.sig", [b"two"])
    await push_manifest(registry, "from/here", f"sha256-{sha256(two).hex}.att", one)
    source = LocalRepository(registry, ANONYMOUS, HERE)
    report = await copy(source, place.target, [Root(V1, V1)], referrers=True)
    assert (report.manifests_copied, len(report.tags)) == (2, 3)


async def test_a_native_manifest_travels_along(graph: Graph, source: LocalRepository, place: Place) -> None:
    """Where a place knows native manifests, it has the same one afterwards, but for the repository's name."""
    await copy(source, place.target, [Root(V1, V1)])
    async with place.finished() as there:
        theirs = (await there.manifest(await there.resolve(V1))).native
    ours = (await source.manifest(await source.resolve(V1))).native
    assert ours is not None
    if theirs is not None:
        require_same_package(ours, theirs, "here")
