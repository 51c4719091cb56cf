"""The log in a SQL database: the appender, and reading.

One appender a process takes requests from a queue and gives many of them one transaction (group commit). Its order:
take the fence, read the head, for each request decide on facts read in this transaction, record its events with
sequence, time and leaf hash, apply them to the views; then commit; then answer.
"""

from __future__ import annotations

import asyncio
import queue
import secrets
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam, select

from artifactstore.errors import ArtifactStoreError, BackendUnavailable, LogRewound, TooManyRequests
from artifactstore.events import codec
from artifactstore.events.database import Query, Session, SqliteDatabase, SqliteSession, Statement
from artifactstore.events.facts import Facts
from artifactstore.events.log import Appended, Clock, Decide, Head, LogPage
from artifactstore.events.model import Event, LogCreated
from artifactstore.events.schema import EVENTS, LOG_HEAD
from artifactstore.events.sql_facts import SqlFacts, change_working
from artifactstore.events.tail import HeadWatcher
from artifactstore.events.views import VIEWS, SqlViews
from artifactstore.identity.actor import SYSTEM

BATCH_MAX = 64
"""Most requests in one transaction: bounds how long the fence is held."""

FENCE_SECONDS_MAX = 30.0

HEAD = Query(select(LOG_HEAD.c.log_id, LOG_HEAD.c.sequence, LOG_HEAD.c.time), Head)
_COLUMNS = tuple(EVENTS.columns)
_AFTER = (
    select(*_COLUMNS)
    .where(EVENTS.c.sequence > bindparam("after"))
    .order_by(EVENTS.c.sequence)
    .limit(bindparam("limit"))
)
ALL = Query(select(*_COLUMNS).order_by(EVENTS.c.sequence), Event)
"""Every event from the first; to be read with `each`."""

READ = Query(_AFTER, Event)
READ_STREAM = Query(_AFTER.where(EVENTS.c.stream == bindparam("stream")), Event)
_SIZES = (
    select(EVENTS.c.sequence, sa.func.length(EVENTS.c.payload) + sa.func.length(EVENTS.c.envelope))
    .where(EVENTS.c.sequence > bindparam("after"))
    .order_by(EVENTS.c.sequence)
    .limit(bindparam("limit"))
)
SIZES: Query[tuple[int, int]] = Query(_SIZES, lambda *row: row)
SIZES_STREAM: Query[tuple[int, int]] = Query(_SIZES.where(EVENTS.c.stream == bindparam("stream")), lambda *row: row)
_INSERT = Statement(EVENTS.insert())
_NEW_HEAD = Statement(LOG_HEAD.insert())
_MOVE_HEAD = Statement(
    LOG_HEAD.update().values(
        sequence=bindparam("new_sequence"), time=bindparam("new_time"), batch_id=bindparam("new_batch")
    )
)


class Recorder:
    """Records decisions inside one transaction; knows where the log stands in it."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self.session = session
        self._views = SqlViews(VIEWS, session)
        self._clock = clock
        head = session.one(HEAD)
        self._log_exists = head is not None
        self.sequence, self.time = (head.sequence, head.time) if head else (0, 0)

    def create_log(self) -> None:
        """Begin the log with event 1, unless it has begun."""
        if self._log_exists:
            return
        log_id = secrets.token_hex(16)
        self.session.run(_NEW_HEAD, id=1, log_id=log_id, sequence=0, time=0, batch_id="")
        created = codec.draft(LogCreated(log_id, codec.ENVELOPE_VERSION))
        self._record(created, SYSTEM.actor, self._log_time())
        self.move_head()

    def run(self, actor: str, decide: Decide) -> Appended:
        """Decide and record one request. What it raises leaves the transaction to be rolled back to before it."""
        time = self._log_time()
        decision = decide(SqlFacts(self.session), time)
        events = tuple(self._record(drafted, actor, time) for drafted in decision.facts)
        for change in decision.working:
            change_working(self.session, change)
        return Appended(events, decision.answer)

    def move_head(self) -> None:
        """Write where the log ends now; `batch_id` lets a commit whose answer was lost be recognised."""
        self.session.run(_MOVE_HEAD, new_sequence=self.sequence, new_time=self.time, new_batch=secrets.token_hex(8))

    def _log_time(self) -> int:
        return max(self.time, self._clock())

    def _record(self, drafted: Any, actor: str, time: int) -> Event:
        event = codec.seal(drafted, sequence=self.sequence + 1, time=time, actor=actor)
        self.session.run(_INSERT, **{column.name: getattr(event, column.name) for column in _COLUMNS})
        self._views.apply(event, drafted.fact)
        self.sequence, self.time = event.sequence, event.time
        return event


@dataclass(slots=True)
class _Request:
    """One waiting append: `answer` and `refuse` may be called from the appender's thread."""

    actor: str
    decide: Decide
    durable: bool
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]

    def answer(self, value: Appended) -> None:
        self._later(lambda: self.future.set_result(value))

    def refuse(self, error: BaseException) -> None:
        self._later(lambda: self.future.set_exception(error))

    def _later(self, settle: Callable[[], None]) -> None:
        def unless_done() -> None:
            if not self.future.done():
                settle()

        with suppress(RuntimeError):  # the loop that asked has ended; what was recorded stays recorded
            self.loop.call_soon_threadsafe(unless_done)


@dataclass(slots=True)
class _Fence:
    """A request to hold the fence: `held` gets the facts, `released` ends it."""

    loop: asyncio.AbstractEventLoop
    held: asyncio.Future[Facts]
    released: threading.Event


class SqlLog:
    """The EventLog on SQLite. One appender thread; reads go inline on a connection of their own."""

    def __init__(self, database: SqliteDatabase, clock: Clock, *, waiting_max: int = 4096) -> None:
        self._database = database
        self._clock = clock
        self._queue: queue.Queue[_Request | _Fence | None] = queue.Queue(waiting_max)
        self._writer = database.connect()
        self._reader = database.connect(read_only=True)
        self._read = SqliteSession(self._reader)
        self._watcher = HeadWatcher(self._head_sequence)
        with database.writing(self._writer) as session:
            Recorder(session, clock).create_log()
        self._thread = threading.Thread(target=self._work, name="appender", daemon=True)
        self._thread.start()

    async def append(self, actor: str, decide: Decide, *, durable: bool = True) -> Appended:
        loop = asyncio.get_running_loop()
        request = _Request(actor, decide, durable, loop, loop.create_future())
        self._enqueue(request)
        appended: Appended = await request.future
        if appended.events:
            self._watcher.ring()
        return appended

    @asynccontextmanager
    async def fence(self) -> AsyncIterator[Facts]:
        loop = asyncio.get_running_loop()
        fence = _Fence(loop, loop.create_future(), threading.Event())
        self._enqueue(fence)
        try:
            yield await fence.held
        finally:
            fence.released.set()

    async def head(self) -> Head:
        head = self._read.one(HEAD)
        if head is None:
            raise BackendUnavailable("the database holds no log")
        return head

    async def read(self, after: int, *, limit: int, bytes_max: int, stream: str | None = None) -> LogPage:
        end = self._head_sequence()
        where = {"after": after} if stream is None else {"after": after, "stream": stream}
        sizes = self._read.all(SIZES if stream is None else SIZES_STREAM, limit=limit, **where)
        count = _fitting([length for _, length in sizes], bytes_max)
        events = self._read.all(READ if stream is None else READ_STREAM, limit=count, **where) if count else []
        last = events[-1].sequence if events else after
        is_whole = count == len(sizes) < limit
        return LogPage(events, max(last, end) if is_whole else last)

    async def tail(self, since_sequence: int) -> AsyncIterator[Event]:
        head = await self.head()
        if since_sequence > head.sequence:
            raise LogRewound(
                f"the cursor {since_sequence} lies beyond the head {head.sequence}",
                detail={"log_id": head.log_id, "head": head.sequence},
            )
        after = since_sequence
        while True:
            page = await self.read(after, limit=500, bytes_max=8 << 20)
            for event in page.events:
                yield event
                after = event.sequence
            if not page.events:
                await self._watcher.wait_beyond(after)

    async def close(self) -> None:
        """Finish what waits, then stop. Idempotent."""
        if not self._thread.is_alive():
            return
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)
        self._watcher.close()
        self._writer.close()
        self._reader.close()

    def _head_sequence(self) -> int:
        head = self._read.one(HEAD)
        return head.sequence if head else 0

    def _enqueue(self, item: _Request | _Fence) -> None:
        if not self._thread.is_alive():
            raise BackendUnavailable("the log is closed")
        try:
            self._queue.put_nowait(item)
        except queue.Full:
            raise TooManyRequests("too many changes are waiting for the log") from None

    def _work(self) -> None:
        """The appender: batches in order, each in one transaction, until it is told to stop."""
        while (item := self._queue.get()) is not None:
            if isinstance(item, _Fence):
                self._hold(item)
                continue
            batch, follower = self._gather(item)
            self._append(batch)
            if isinstance(follower, _Fence):
                self._hold(follower)
            elif follower is _STOP:
                return

    def _gather(self, first: _Request) -> tuple[list[_Request], object]:
        """What waits already, up to a batch; and what ended the batch, when that was no request."""
        batch = [first]
        while len(batch) < BATCH_MAX:
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                return batch, None
            if not isinstance(item, _Request):
                return batch, _STOP if item is None else item
            batch.append(item)
        return batch, None

    def _append(self, batch: list[_Request]) -> None:
        answers: list[tuple[_Request, Appended]] = []
        try:
            durable = any(request.durable for request in batch)
            with self._database.writing(self._writer, durable=durable) as session:
                recorder = Recorder(session, self._clock)
                before = recorder.sequence
                for request in batch:
                    self._decide(recorder, request, answers)
                if recorder.sequence != before:
                    recorder.move_head()
        except BaseException as error:  # whatever went wrong, nothing was committed and everyone must hear of it
            for request in batch:
                request.refuse(_as_failure(error))
            return
        for request, appended in answers:
            request.answer(appended)

    def _decide(self, recorder: Recorder, request: _Request, answers: list[tuple[_Request, Appended]]) -> None:
        """One request inside a savepoint: what it raises undoes its own work only."""
        place = (recorder.sequence, recorder.time)
        self._writer.execute("SAVEPOINT request")
        try:
            answers.append((request, recorder.run(request.actor, request.decide)))
        except Exception as error:
            self._writer.execute("ROLLBACK TO request")
            recorder.sequence, recorder.time = place
            request.refuse(error)
        self._writer.execute("RELEASE request")

    def _hold(self, fence: _Fence) -> None:
        """Keep the fence until it is released, or for a bounded time; nothing is written."""

        def settle(set_it: Callable[[], None]) -> None:
            fence.loop.call_soon_threadsafe(lambda: None if fence.held.done() else set_it())

        try:
            with self._database.writing(self._writer) as session:
                settle(lambda: fence.held.set_result(SqlFacts(session)))
                fence.released.wait(FENCE_SECONDS_MAX)
        except Exception as error:
            failure = _as_failure(error)
            settle(lambda: fence.held.set_exception(failure))


_STOP = object()


def _as_failure(error: BaseException) -> ArtifactStoreError:
    return error if isinstance(error, ArtifactStoreError) else BackendUnavailable(f"the log failed: {error!r}")


def _fitting(sizes: list[int], bytes_max: int) -> int:
    """How many of the sizes fit, one at least."""
    total = 0
    for count, size in enumerate(sizes):
        total += size
        if count and total > bytes_max:
            return count
    return len(sizes)
