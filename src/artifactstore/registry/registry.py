"""The library surface: one object that does everything the store can do. HTTP and CLI only parse, call and render."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn

from artifactstore.errors import LogRewound, Unsupported
from artifactstore.events.database import Reader
from artifactstore.events.log import Clock, EventLog, Head
from artifactstore.events.model import Event
from artifactstore.identity.actor import Principal
from artifactstore.identity.names import RepositoryName
from artifactstore.registry.core import Plane
from artifactstore.registry.deletions import Deletions
from artifactstore.registry.policy import Policy
from artifactstore.registry.repositories import Repositories
from artifactstore.registry.upkeep import Upkeep
from artifactstore.registry.uploads import Uploads

EVENTS_BYTES_MAX = 8 << 20
"""A page of events ends before it has more than this many bytes."""


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events in order, the head right after they were read, and the last sequence scanned: the next cursor."""

    head: Head
    events: Sequence[Event]
    scanned: int


class Registry(Uploads, Deletions, Repositories, Upkeep):
    """An artifact store. Every call takes the Principal that asks; every change is one transaction of facts and views.

    blobs       push_blob  mount_blob  resolve_blob  serve  delete_blob
    uploads     open_upload  append_upload  upload_status  close_upload  cancel_upload
    manifests   push_manifest  resolve  get_bytes  tag  tags  tag_history  delete_tag  delete_manifest
    native      packages  package  native_manifest  files  file  attachments  referrers  deletion
    whole       repositories  repository  holdings  delete_repository
    log         head  events  tail
    upkeep      health  sweep  close
    retention   set_retention  hold  release  expire: named for later, refused now
    """

    def __init__(
        self,
        log: EventLog,
        reader: Reader,
        plane: Plane,
        policy: Policy,
        clock: Clock,
        closing: Sequence[Callable[[], Awaitable[None]]] = (),
    ) -> None:
        super().__init__(log, reader, plane, policy, clock)
        self._closing = closing

    async def head(self) -> Head:
        """Where the log ends now."""
        return await self.log.head()

    async def events(
        self,
        principal: Principal,
        *,
        after: int = 0,
        log_id: str | None = None,
        repository: RepositoryName | None = None,
        limit: int,
    ) -> EventPage:
        """A page of events after a cursor, bounded by count and bytes.

        Raises LogRewound when the cursor lies beyond the head, or `log_id` names another log.
        """
        head = await self.log.head()
        if after > head.sequence or (log_id is not None and log_id != head.log_id):
            raise LogRewound(
                "the cursor does not belong to this log", detail={"log_id": head.log_id, "head": head.sequence}
            )
        page = await self.log.read(after, limit=limit, bytes_max=EVENTS_BYTES_MAX, stream=repository)
        # The log may have grown while it was read; the head that is told is never behind what was scanned.
        return EventPage(await self.log.head(), page.events, page.scanned)

    def tail(self, principal: Principal, since_sequence: int = 0) -> AsyncIterator[Event]:
        """Every event after `since_sequence`, now and as they come. Raises LogRewound."""
        return self.log.tail(since_sequence)

    async def set_retention(self, principal: Principal, *_: object) -> NoReturn:
        """Give a package another retention class. Raises Unsupported in this version."""
        raise Unsupported("retention is recorded and not yet enforced")

    async def hold(self, principal: Principal, *_: object) -> NoReturn:
        """Keep a package from deletion for a named reason. Raises Unsupported in this version."""
        raise Unsupported("holds are not offered yet")

    async def release(self, principal: Principal, *_: object) -> NoReturn:
        """End a hold. Raises Unsupported in this version."""
        raise Unsupported("holds are not offered yet")

    async def expire(self, principal: Principal, *_: object) -> NoReturn:
        """Remove what has reached the end of its retention. Raises Unsupported in this version."""
        raise Unsupported("retention is recorded and not yet enforced")

    async def close(self) -> None:
        """Let go of everything, in order. Idempotent."""
        for close in self._closing:
            await close()
