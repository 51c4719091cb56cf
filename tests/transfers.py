"""Places to copy between, and a repository that has everything a copy can meet."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from artifactstore import bootstrap
from artifactstore.client.http import Http
from artifactstore.client.registry import RemoteRepository
from artifactstore.identity.actor import ANONYMOUS
from artifactstore.identity.digest import Digest
from artifactstore.identity.names import RepositoryName, TagName
from artifactstore.registry.registry import Registry
from artifactstore.transfer import LocalRepository, Root, Source, Target
from artifactstore.transfer.layout_directory import DirectoryFiles, DirectoryKeeper
from artifactstore.transfer.layout_source import Layout, LayoutSource
from artifactstore.transfer.layout_tar import TarFiles, TarKeeper
from artifactstore.transfer.layout_target import Keeper, LayoutWriter
from tests.http.servers import in_thread
from tests.stores import descriptor, fresh_config, image, index, push_blob, push_image, push_manifest, sha256

HERE = RepositoryName("from/here")
THERE = RepositoryName("to/there")
V1 = TagName("v1")
SIGNATURE = "application/vnd.dev.cosign.simplesigning.v1+json"


@dataclass(frozen=True)
class Graph:
    """The digests of what `populate` pushed, by what each is."""

    root: Digest
    members: tuple[Digest, ...]
    referrer: Digest
    second_referrer: Digest
    member_referrer: Digest
    attached: Digest

    @property
    def plain(self) -> set[Digest]:
        """What belongs to the root itself."""
        return {self.root, *self.members}

    @property
    def every(self) -> set[Digest]:
        """And what refers to it, over any number of steps."""
        return {*self.plain, self.referrer, self.second_referrer, self.member_referrer, self.attached}


async def populate(registry: Registry, repository: RepositoryName = HERE) -> Graph:
    """An index of two images tagged v1, referrers of it, of a referrer and of a member, and a signature by its tag."""
    bodies = []
    for name in (b"one", b"two"):
        body, _ = await push_image(registry, repository, f"{name.decode()}", [name * 1000, b"shared" * 1000])
        bodies.append(body)
    root = index(bodies)
    await push_manifest(registry, repository, "v1", root, "application/vnd.oci.image.index.v1+json")
    referrer = await refer(registry, repository, root, b"referrer")
    second = await refer(registry, repository, referrer, b"referrer of the referrer")
    of_member = await refer(registry, repository, bodies[0], b"referrer of a member")
    attached = image([b"signature"], annotations={"signed": "yes"})
    await push_blob(registry, repository, b"signature")
    await push_manifest(registry, repository, f"sha256-{sha256(root).hex}.sig", attached)
    members = tuple(sha256(body) for body in bodies)
    return Graph(sha256(root), members, *map(sha256, (referrer, second, of_member, attached)))


async def refer(registry: Registry, repository: RepositoryName, subject: bytes, content: bytes) -> bytes:
    """Push a manifest whose subject is another."""
    await push_blob(registry, repository, content)
    media_type = "index" if b'"manifests"' in subject else "manifest"
    body = image([content], subject=descriptor(subject, f"application/vnd.oci.image.{media_type}.v1+json"))
    await push_manifest(registry, repository, str(sha256(body)), body)
    return body


@dataclass
class Place:
    """Somewhere to copy to, and to read again from once the copy is finished."""

    target: Target
    finished: Callable[[], AbstractAsyncContextManager[Source]]


@asynccontextmanager
async def in_memory(folder: Path, repository: RepositoryName = THERE) -> AsyncIterator[Place]:
    """A repository of a store of its own."""
    registry = bootstrap.open_memory()
    here = LocalRepository(registry, ANONYMOUS, repository)

    @asynccontextmanager
    async def finished() -> AsyncIterator[Source]:
        yield here

    try:
        yield Place(here, finished)
    finally:
        await registry.close()


@asynccontextmanager
async def on_server(folder: Path, repository: RepositoryName = THERE, *, ours: bool = True) -> AsyncIterator[Place]:
    """A repository of a server of our own; with `ours` false it is taken for any registry."""
    with in_thread(fresh_config(folder / "data", port=0, unsafe_no_sync=True)) as server:
        async with Http(server.url) as http:
            there = RemoteRepository(http, repository, ours=ours)

            @asynccontextmanager
            async def finished() -> AsyncIterator[Source]:
                yield RemoteRepository(http, repository, ours=ours)

            yield Place(there, finished)


def on_registry(folder: Path, repository: RepositoryName = THERE) -> AbstractAsyncContextManager[Place]:
    """A repository of a registry of which nothing more is known."""
    return on_server(folder, repository, ours=False)


def in_directory(folder: Path, repository: RepositoryName = THERE) -> AbstractAsyncContextManager[Place]:
    """A layout in a directory."""
    root = folder / "layout"
    return _in_layout(DirectoryKeeper(root), lambda: directory(root), repository)


def in_tar(folder: Path, repository: RepositoryName = THERE) -> AbstractAsyncContextManager[Place]:
    """A layout in an archive."""
    path = folder / "layout.tar"
    return _in_layout(TarKeeper(path), lambda: archive(path), repository)


@asynccontextmanager
async def _in_layout(
    keeper: Keeper, reading: Callable[[], AbstractAsyncContextManager[Layout]], repository: RepositoryName
) -> AsyncIterator[Place]:
    async with LayoutWriter(keeper) as writer:

        @asynccontextmanager
        async def finished() -> AsyncIterator[Source]:
            await writer.finish()
            async with reading() as layout:
                yield whole(layout)

        yield Place(writer.target(repository), finished)


@asynccontextmanager
async def directory(root: Path) -> AsyncIterator[Layout]:
    """A layout in a directory, read."""
    async with await Layout.read(DirectoryFiles(root)) as layout:
        yield layout


@asynccontextmanager
async def archive(path: Path) -> AsyncIterator[Layout]:
    """A layout in an archive, read."""
    files = await TarFiles.open(path)
    try:
        layout = await Layout.read(files)
    except BaseException:
        await files.close()
        raise
    async with layout:
        yield layout


def whole(layout: Layout) -> LayoutSource:
    """All of a layout as one source."""
    return LayoutSource(layout, layout.index.entries)


async def manifests_below(source: Source, root: Root, *, referrers: bool = True) -> dict[Digest, bytes]:
    """Every manifest that can be reached at a place, each with its bytes, its blobs read and compared."""
    from artifactstore.transfer import copy

    registry = bootstrap.open_memory()
    try:
        target = LocalRepository(registry, ANONYMOUS, RepositoryName("compared/here"))
        await copy(source, target, [root], referrers=referrers)
        found = {}
        for package in await registry.packages(
            ANONYMOUS, repository=RepositoryName("compared/here"), members=True, attachments=True, limit=1000
        ):
            digest = Digest.parse(package.row.digest)
            found[digest] = (await target.manifest(await target.resolve(digest))).body
        return found
    finally:
        await registry.close()
