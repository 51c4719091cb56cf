"""What commands ask and change, be it a data directory here or a server elsewhere."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from artifactstore.cli.store import existing

if TYPE_CHECKING:
    from artifactstore.identity.digest import Digest
    from artifactstore.identity.names import RepositoryName, TagName
    from artifactstore.identity.references import PackageName

T = TypeVar("T")
Json = dict[str, Any]
PAGE = 1000


class Store(Protocol):
    """A store as commands see it: values are those of the native API, lists are whole.

    What is not there raises RepositoryUnknown or ManifestUnknown, what is switched off Unsupported, a store that does
    not answer BackendUnavailable.
    """

    def repositories(
        self, prefix: RepositoryName | None, *, holdings: bool = False, last: str = ""
    ) -> AsyncIterator[Json]:
        """Repositories in byte order after `last`; with a prefix that one and those under it; with what each holds."""
        ...

    async def repository(self, name: RepositoryName) -> Json:
        """A repository and what it holds."""
        ...

    def packages(
        self, repository: RepositoryName, *, tag: TagName | None, kind: str | None, everything: bool
    ) -> AsyncIterator[Json]:
        """Packages of a repository that meet the conditions, newest first; none when it is unknown."""
        ...

    def tags(self, repository: RepositoryName, *, last: str = "") -> AsyncIterator[str]:
        """Tags in byte order after `last`."""
        ...

    async def package(self, name: PackageName) -> Json:
        """One package."""
        ...

    def files(self, name: PackageName) -> AsyncIterator[Json]:
        """A package's files in order."""
        ...

    def referrers(self, name: PackageName) -> AsyncIterator[Json]:
        """What refers to a package, in order of arrival."""
        ...

    async def deletion(self, name: PackageName) -> Json:
        """What the deletion of a package would take away."""
        ...

    async def native_manifest(self, name: PackageName) -> bytes:
        """A package's native manifest in canonical CBOR."""
        ...

    def events(self, after: int, repository: RepositoryName | None, *, follow: bool) -> AsyncIterator[Json]:
        """Events after a sequence with their payloads: up to now, or on and on. Raises LogRewound."""
        ...

    async def tag(self, name: PackageName, tag: TagName) -> str:
        """Let a tag name a package; returns the digest that it names it under."""
        ...

    async def delete_tag(self, repository: RepositoryName, tag: TagName) -> None:
        """Take a tag away; its package stays."""
        ...

    async def delete_package(self, repository: RepositoryName, digest: Digest) -> None:
        """Take a package away with all its tags."""
        ...

    async def delete_repository(self, name: RepositoryName) -> Json:
        """Take a repository away with all that it holds; returns what went."""
        ...


def with_store(data: str | None, server: str | None, work: Callable[[Store], Awaitable[T]]) -> T:
    """Open the store that the options name, do the work, close it.

    Raises ParameterInvalid, ConfigInvalid, SchemaUnsupported, BackendUnavailable.
    """
    import asyncio

    from artifactstore.errors import ParameterInvalid

    if server is not None and data is not None:
        raise ParameterInvalid("--data and --server exclude each other")
    return asyncio.run(_at_data(data, work) if server is None else _at_server(server, work))


async def _at_data(data: str | None, work: Callable[[Store], Awaitable[T]]) -> T:
    from artifactstore.bootstrap import open_registry
    from artifactstore.cli.local_store import LocalStore

    registry = open_registry(existing(data))
    try:
        return await work(LocalStore(registry))
    finally:
        await registry.close()


async def _at_server(server: str, work: Callable[[Store], Awaitable[T]]) -> T:
    from artifactstore.cli.server_store import ServerStore
    from artifactstore.client.auth import connect

    async with connect(server) as http:
        return await work(ServerStore(http))
