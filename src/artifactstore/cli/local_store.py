"""The store in a data directory, through the library."""

from __future__ import annotations

from collections.abc import AsyncIterator

from artifactstore.cli.stores import PAGE, Json
from artifactstore.identity.actor import ANONYMOUS
from artifactstore.identity.digest import Digest
from artifactstore.identity.names import RepositoryName, TagName
from artifactstore.identity.references import PackageName
from artifactstore.registry import rendering
from artifactstore.registry.manifests import LAST_SEQUENCE
from artifactstore.registry.registry import Registry


class LocalStore:
    """The Store of a Registry."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    async def repositories(
        self, prefix: RepositoryName | None, *, holdings: bool = False, last: str = ""
    ) -> AsyncIterator[Json]:
        while rows := await self._registry.repositories(ANONYMOUS, prefix=prefix, last=last, limit=PAGE):
            if holdings:
                for found in await self._registry.holdings(ANONYMOUS, rows):
                    yield rendering.holdings(found)
            else:
                for row in rows:
                    yield rendering.repository(row)
            last = rows[-1].name

    async def repository(self, name: RepositoryName) -> Json:
        return rendering.holdings(await self._registry.repository(ANONYMOUS, name))

    async def packages(
        self, repository: RepositoryName, *, tag: TagName | None, kind: str | None, everything: bool
    ) -> AsyncIterator[Json]:
        before = LAST_SEQUENCE
        while page := await self._registry.packages(
            ANONYMOUS,
            repository=repository,
            tag=tag,
            kind=kind,
            members=everything,
            attachments=everything,
            before=before,
            limit=PAGE,
        ):
            for package in page:
                yield rendering.package(package)
            before = page[-1].row.stored_sequence

    async def tags(self, repository: RepositoryName, *, last: str = "") -> AsyncIterator[str]:
        while page := await self._registry.tags(ANONYMOUS, repository, last=last, limit=PAGE):
            for tag in page:
                yield tag
            last = page[-1]

    async def package(self, name: PackageName) -> Json:
        return rendering.package(await self._registry.package(ANONYMOUS, name.repository, name.reference))

    async def files(self, name: PackageName) -> AsyncIterator[Json]:
        here = (ANONYMOUS, name.repository, name.reference)
        position = 0
        while page := await self._registry.files(*here, position=position, limit=PAGE):
            for file in page:
                yield rendering.file(file)
            position = page[-1].row.position + 1

    async def referrers(self, name: PackageName) -> AsyncIterator[Json]:
        here = (ANONYMOUS, name.repository, name.reference)
        after = 0
        while page := await self._registry.attachments(*here, after=after, limit=PAGE):
            for attached in page:
                yield rendering.attachment(attached)
            after = page[-1].row.sequence

    async def deletion(self, name: PackageName) -> Json:
        return rendering.deletion(await self._registry.deletion(ANONYMOUS, name.repository, name.reference))

    async def native_manifest(self, name: PackageName) -> bytes:
        found, _ = await self._registry.native_manifest(ANONYMOUS, name.repository, name.reference)
        return found

    async def events(self, after: int, repository: RepositoryName | None, *, follow: bool) -> AsyncIterator[Json]:
        if follow:
            async for event in self._registry.tail(ANONYMOUS, after):
                if repository is None or event.stream == repository:
                    yield rendering.event(event, inline=True)
            return
        end = (await self._registry.head()).sequence
        while True:
            page = await self._registry.events(ANONYMOUS, after=after, repository=repository, limit=PAGE)
            for event in page.events:
                yield rendering.event(event, inline=True)
            after = page.scanned
            if after >= end:
                return

    async def tag(self, name: PackageName, tag: TagName) -> str:
        return str((await self._registry.tag(ANONYMOUS, name.repository, tag, name.reference)).digest)

    async def delete_tag(self, repository: RepositoryName, tag: TagName) -> None:
        await self._registry.delete_tag(ANONYMOUS, repository, tag)

    async def delete_package(self, repository: RepositoryName, digest: Digest) -> None:
        await self._registry.delete_manifest(ANONYMOUS, repository, digest)

    async def delete_repository(self, name: RepositoryName) -> Json:
        return rendering.deleted(await self._registry.delete_repository(ANONYMOUS, name))
