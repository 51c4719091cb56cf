"""What the deletion of a package would take away, and what it would leave."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from artifactstore.events.views import blobs, edges, tags
from artifactstore.events.views.packages import PackageRow
from artifactstore.identity.actor import Principal
from artifactstore.identity.digest import Digest
from artifactstore.identity.names import RepositoryName
from artifactstore.registry.core import in_turns
from artifactstore.registry.manifests import Reference
from artifactstore.registry.packages import Packages

EDGES_A_READ = 500
TAGS_SHOWN_MAX = 100


@dataclass(frozen=True, slots=True)
class Deletion:
    """A package with every tag on it, the first of them by name.

    `members` are the packages of the repository that it lists; they stay. `size` is the bytes of its manifest and of
    the config and layers that no other package of the repository names.
    """

    package: PackageRow
    tags: Sequence[str]
    tag_count: int
    members: Sequence[str]
    size: int


class Deletions(Packages):
    """The part of the Registry that tells what a deletion would do."""

    async def deletion(self, principal: Principal, repository: RepositoryName, reference: Reference) -> Deletion:
        """What deleting a package would take away. Raises ManifestUnknown, RepositoryUnknown."""
        row = await self._row(principal, repository, reference)
        here = {"repository": repository, "address": row.content_address}
        named = await self.reader.all(tags.OF_PACKAGE, limit=TAGS_SHOWN_MAX, **here)
        count = await self.reader.one(tags.COUNT_OF_PACKAGE, **here) or 0
        pointed = [edge async for edge in self._edges(row)]
        listed = await in_turns(pointed, lambda edge: self._member(repository, edge))
        members = tuple(dict.fromkeys(member.digest for member in listed if member))
        sizes = await in_turns(dict.fromkeys(_content(pointed)), lambda digest: self._own_size(row, digest))
        own = dict(filter(None, sizes))  # by address: two digests may name the same bytes
        return Deletion(row, named, count, members, row.size + sum(own.values()))

    async def _edges(self, row: PackageRow) -> AsyncIterator[edges.EdgeRow]:
        here = {"repository": row.repository, "address": row.content_address}
        position = 0
        while page := await self.reader.all(edges.OF_PACKAGE, position=position, limit=EDGES_A_READ, **here):
            for edge in page:
                yield edge
            position = page[-1].position + 1

    async def _own_size(self, row: PackageRow, digest: str) -> tuple[str, int] | None:
        """Address and bytes of a blob of the repository that no other of its packages names."""
        blob = await self.reader.one(blobs.BY_DIGEST, repository=row.repository, digest=digest)
        if blob is None:
            return None
        for name in await self.aliases(Digest.parse(digest)):
            here = {"repository": row.repository, "digest": name, "address": row.content_address}
            if await self.reader.one(edges.NAMED_BY_ANOTHER, **here) is not None:
                return None
        return blob.content_address, blob.size


def _content(pointed: Sequence[edges.EdgeRow]) -> list[str]:
    return [edge.target_digest for edge in pointed if edge.relation in ("config", "layer")]
