"""The log as everyone else sees it: append a decision, read events, know the head."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from artifactstore.events.facts import Facts, WorkingChange
from artifactstore.events.model import Draft, Event

Clock = Callable[[], int]
"""The present time in microseconds since 1970 UTC."""


@dataclass(frozen=True, slots=True)
class Head:
    """Where the log ends: its id, the last sequence (0 when empty) and that event's time in µs since 1970 UTC."""

    log_id: str
    sequence: int
    time: int


@dataclass(frozen=True, slots=True)
class Decision:
    """What a request makes true: drafted facts in order, and changes of working state. Both may be empty.

    `answer` goes back to whoever asked.
    """

    facts: tuple[Draft, ...] = ()
    working: tuple[WorkingChange, ...] = ()
    answer: Any = field(default=None)


Decide = Callable[[Facts, int], Decision]
"""A pure function of the facts, read under the fence, and the present time; refuses by raising an InputError,
NotFound or Conflict."""


@dataclass(frozen=True, slots=True)
class Appended:
    """The recorded events of one decision, and its answer."""

    events: tuple[Event, ...]
    answer: Any


@dataclass(frozen=True, slots=True)
class LogPage:
    """Events in order, and the last sequence that was looked at: the cursor to go on from, also when filtered."""

    events: Sequence[Event]
    scanned: int


class EventLog(Protocol):
    """An append-only, gapless sequence of facts, and the views that follow from it.

    Callers must not assume that a decision runs once: only that its facts are recorded once.
    """

    async def append(self, actor: str, decide: Decide, *, durable: bool = True) -> Appended:
        """Run `decide` under the fence and record what it decided, with the views, in one transaction.

        On return it is durable; with `durable=False`, for decisions on working state only, it need not outlive a power
        loss. Refusals pass through and record nothing; requests that share the transaction are not
        touched by it. Raises BackendUnavailable when the database fails, TooManyRequests when too many wait.
        """
        ...

    def fence(self) -> AbstractAsyncContextManager[Facts]:
        """Hold the log still: no event is recorded until the context ends. For the sweep."""
        ...

    async def head(self) -> Head:
        """The log's end as committed now."""
        ...

    async def read(self, after: int, *, limit: int, bytes_max: int, stream: str | None = None) -> LogPage:
        """Events after a sequence, in order: at most `limit`, and no more than fit `bytes_max` (but one at least)."""
        ...

    def tail(self, since_sequence: int) -> AsyncIterator[Event]:
        """Every event after `since_sequence`, now and as they come, each once and in order; ends when closed.

        Raises LogRewound when the cursor lies beyond the head.
        """
        ...
