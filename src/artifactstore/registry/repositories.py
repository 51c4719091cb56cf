"""Repositories: list, count what one holds, delete one with all of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from artifactstore.dataplane.spi import Upload
from artifactstore.errors import ArtifactStoreError, RepositoryUnknown, Unsupported
from artifactstore.events.facts import Holdings
from artifactstore.events.model import RepositoryDeleted
from artifactstore.events.views import repositories
from artifactstore.events.views.repositories import RepositoryRow
from artifactstore.identity.actor import Principal
from artifactstore.identity.names import RepositoryName
from artifactstore.registry import decide
from artifactstore.registry.core import Core, in_turns

log = logging.getLogger(__name__)
DISCARD_SECONDS = 0.25
"""How long writers wait, at most, while a deletion discards an upload that may be written to."""


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository, and what it holds now."""

    row: RepositoryRow
    holdings: Holdings


class Repositories(Core):
    """The part of the Registry that deals with repositories as a whole."""

    async def repositories(
        self, principal: Principal, *, prefix: RepositoryName | None = None, last: str = "", limit: int
    ) -> list[RepositoryRow]:
        """Repositories in byte order after `last`; with `prefix` that one and those under it, by whole segments."""
        if prefix is None:
            return await self.reader.all(repositories.PAGE, last=last, limit=limit)
        found: list[RepositoryRow] = []
        if last < prefix and limit > 0:
            at = await self.reader.one(repositories.BY_NAME, name=prefix)
            found += [at] if at else []
        # "0" is what follows "/" in byte order, so that these two enclose what lies under the prefix and nothing else.
        after, end = max(last, f"{prefix}/"), f"{prefix}0"
        return found + await self.reader.all(repositories.PAGE_BETWEEN, last=after, end=end, limit=limit - len(found))

    async def holdings(self, principal: Principal, rows: Sequence[RepositoryRow]) -> list[Repository]:
        """What each of those repositories holds; one that was deleted meanwhile is left out."""
        held = await in_turns(rows, lambda row: self.reader.one(repositories.HOLDINGS, name=row.name))
        return [Repository(row, found) for row, found in zip(rows, held, strict=True) if found]

    async def repository(self, principal: Principal, name: RepositoryName) -> Repository:
        """A repository and what it holds. Raises RepositoryUnknown."""
        row = await self.reader.one(repositories.BY_NAME, name=name)
        held = await self.reader.one(repositories.HOLDINGS, name=name)
        if row is None or held is None:
            raise RepositoryUnknown("no such repository", detail={"name": name})
        return Repository(row, held)

    async def delete_repository(self, principal: Principal, name: RepositoryName) -> RepositoryDeleted:
        """Take a repository away with every package, tag, blob link and open upload in it: one fact.

        What its tags named stays in their history. Raises RepositoryUnknown, Unsupported.
        """
        if not self.policy.delete_manifests:
            raise Unsupported("deleting manifests, tags and repositories is switched off")
        deleted = await self.log.append(principal.actor, partial(decide.delete_repository, name))
        fact: RepositoryDeleted
        fact, uploads = deleted.answer
        for upload_id in uploads:
            await self._discard(upload_id)
        return fact

    async def _discard(self, upload_id: str) -> None:
        """Remove what is staged of an upload that was ended, unless it was opened again meanwhile under the same name.

        The deletion is recorded, so nothing is raised here: who writes to the upload now removes it at its end, and the
        sweep what else is left.
        """
        try:
            async with self.log.fence() as facts:
                if facts.upload(upload_id) is None:
                    async with asyncio.timeout(DISCARD_SECONDS):
                        await self.plane.delete_object(Upload(upload_id))
        except (ArtifactStoreError, TimeoutError) as error:
            log.warning("what is staged of upload %s is left to the sweep: %r", upload_id, error)
