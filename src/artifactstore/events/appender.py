"""The appender: one thread a process that gives many waiting requests one transaction (group commit).

Its order: take the fence, read the head, for each request decide on facts read in this transaction and record what was
decided; then commit; then answer, also those who were refused: a refusal may rest on what shares the transaction.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from artifactstore.errors import ArtifactStoreError, BackendUnavailable, TooManyRequests
from artifactstore.events.database import SqliteDatabase, SqliteSession
from artifactstore.events.facts import Facts
from artifactstore.events.log import Appended, Clock, Decide
from artifactstore.events.recording import HEAD, Recorder
from artifactstore.events.sql_facts import SqlFacts

BATCH_MAX = 64
"""Most requests in one transaction: bounds how long the fence is held."""

FENCE_SECONDS_MAX = 30.0


@dataclass(slots=True)
class _Waiting:
    """Somebody in an event loop who waits for the appender; may be answered from its thread."""

    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]

    def answer(self, value: Any) -> bool:
        """False: the loop has ended, and nobody hears it; what was recorded stays recorded."""
        return self._settle(lambda: self.future.set_result(value))

    def refuse(self, error: BaseException) -> bool:
        """As `answer`, with an error."""
        return self._settle(lambda: self.future.set_exception(error))

    def _settle(self, settle: Callable[[], None]) -> bool:
        try:
            self.loop.call_soon_threadsafe(lambda: None if self.future.done() else settle())
        except RuntimeError:
            return False
        return True


@dataclass(slots=True)
class _Request(_Waiting):
    """A waiting append."""

    actor: str
    decide: Decide
    durable: bool


@dataclass(slots=True)
class _Fence(_Waiting):
    """A request to hold the fence: it is answered with the facts, `released` ends it."""

    released: threading.Event


class Appender:
    """Decides and records what is asked of it, on a connection of its own."""

    def __init__(self, database: SqliteDatabase, clock: Clock, waiting_max: int) -> None:
        self._database = database
        self._clock = clock
        self._queue: queue.Queue[_Request | _Fence | None] = queue.Queue(waiting_max)
        self._entrance = threading.Lock()
        self._closed = False
        self._writer = database.connect()
        if SqliteSession(self._writer).one(HEAD) is None:  # the fence is taken only by who has something to write
            with database.writing(self._writer) as session:
                Recorder(session, clock).create_log()
        self._thread = threading.Thread(target=self._work, name="appender", daemon=True)
        self._thread.start()

    async def append(self, actor: str, decide: Decide, *, durable: bool) -> Appended:
        """As EventLog has it."""
        loop = asyncio.get_running_loop()
        request = _Request(loop, loop.create_future(), actor, decide, durable)
        self._enqueue(request)
        appended: Appended = await request.future
        return appended

    @asynccontextmanager
    async def fence(self) -> AsyncIterator[Facts]:
        """As EventLog has it."""
        loop = asyncio.get_running_loop()
        fence = _Fence(loop, loop.create_future(), threading.Event())
        self._enqueue(fence)
        try:
            yield await fence.future
        finally:
            fence.released.set()

    async def close(self) -> None:
        """Finish what waits, then stop. Idempotent."""
        with self._entrance:
            is_first, self._closed = not self._closed, True
        if is_first:
            await asyncio.to_thread(self._queue.put, None)
        await asyncio.to_thread(self._thread.join)
        self._writer.close()

    def _enqueue(self, item: _Request | _Fence) -> None:
        """Nothing comes in after the word to stop: whoever came later would wait for ever."""
        with self._entrance:
            if self._closed:
                raise BackendUnavailable("the log is closed")
            try:
                self._queue.put_nowait(item)
            except queue.Full:
                raise TooManyRequests("too many changes are waiting for the log") from None

    def _work(self) -> None:
        """Batches in order, each in one transaction, until it is told to stop."""
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
        try:
            durable = any(request.durable for request in batch)
            with self._database.writing(self._writer, durable=durable) as session:
                recorder = Recorder(session, self._clock)
                before = recorder.sequence
                outcomes = [self._decide(recorder, request) for request in batch]
                if recorder.sequence != before:
                    recorder.move_head()
        except BaseException as error:  # whatever went wrong, nothing was committed and everyone must hear of it
            outcomes = [_as_failure(error)] * len(batch)
        for request, outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, Appended):
                request.answer(outcome)
            else:
                request.refuse(outcome)

    def _decide(self, recorder: Recorder, request: _Request) -> Appended | Exception:
        """One request inside a savepoint: what it raises undoes its own work only."""
        place = (recorder.sequence, recorder.time)
        self._writer.execute("SAVEPOINT request")
        outcome: Appended | Exception
        try:
            outcome = recorder.run(request.actor, request.decide)
        except Exception as error:
            if not self._writer.in_transaction:
                raise  # a full disk, say: SQLite has undone the whole of it already
            self._writer.execute("ROLLBACK TO request")
            recorder.sequence, recorder.time = place
            outcome = error
        self._writer.execute("RELEASE request")
        return outcome

    def _hold(self, fence: _Fence) -> None:
        """Keep the fence until it is released, or for a bounded time; nothing is written."""
        try:
            with self._database.writing(self._writer) as session:
                if fence.answer(SqlFacts(session)):
                    fence.released.wait(FENCE_SECONDS_MAX)
        except Exception as error:
            fence.refuse(_as_failure(error))


_STOP = object()


def _as_failure(error: BaseException) -> ArtifactStoreError:
    return error if isinstance(error, ArtifactStoreError) else BackendUnavailable(f"the log failed: {error!r}")
