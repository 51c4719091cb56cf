"""What every `EventLog` promises.

Each check gets a factory that opens the same, at first empty, log any number of times, as other processes would.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol

from artifactstore.errors import ArtifactStoreError, BackendUnavailable, LogRewound, NameInvalid
from artifactstore.events import codec
from artifactstore.events.facts import Facts
from artifactstore.events.log import Decide, Decision, EventLog
from artifactstore.events.model import BlobLinked, Event, LogCreated, ObjectFact, TagMoved
from artifactstore.identity.digest import ContentAddress, Digest, digest_bytes

BYTES_MAX = 1 << 20


class OpenLog(Protocol):
    """Opens the log under test once more. `clock` gives microseconds since 1970 UTC."""

    def __call__(self, clock: Callable[[], int] | None = None) -> EventLog: ...


LogCheck = Callable[[OpenLog], Awaitable[None]]


def linked(repository: str, data: bytes) -> BlobLinked:
    """The fact that `repository` holds `data`."""
    digests = {name: digest_bytes(name, data) for name in ("blake3", "sha256")}
    stored = ObjectFact(ContentAddress(digests["blake3"].hex), digests, len(data), "memory")
    return BlobLinked(repository, stored, digests["sha256"])


def record(fact: BlobLinked | TagMoved, facts: Facts, time: int) -> Decision:
    """The decision to record one fact, whatever is true."""
    return Decision(facts=(codec.draft(fact),))


def recording(number: int, repository: str = "a/b") -> Decide:
    """A decision whose fact differs for each number."""
    return partial(record, linked(repository, f"blob {number}".encode()))


def move_once(tag: str, facts: Facts, time: int) -> Decision:
    """Set a tag unless it is set; the answer: whether it was free."""
    if facts.tag("a/b", tag) is not None:
        return Decision(answer=False)
    fact = TagMoved("a/b", tag, ContentAddress("0" * 64), Digest("sha256", "0" * 64))
    return Decision(facts=(codec.draft(fact),), answer=True)


async def refusal_of(doing: Awaitable[object]) -> ArtifactStoreError | None:
    """What `doing` raised of the library's errors; None when it succeeded."""
    try:
        await doing
    except ArtifactStoreError as error:
        return error
    return None


async def everything(log: EventLog) -> list[Event]:
    """Every event there is, after checking each against its envelope."""
    events = list((await log.read(0, limit=100_000, bytes_max=1 << 40)).events)
    for event in events:
        codec.check(event)
    assert [event.sequence for event in events] == list(range(1, len(events) + 1)), "the sequence has no gap"
    return events


async def check_log_begins_with_its_creation(open_log: OpenLog) -> None:
    """Event 1 names the log, and opening it again does not repeat it."""
    log, again = open_log(), open_log()
    first, *rest = await everything(log)
    assert rest == []
    created = codec.fact_of(first)
    assert isinstance(created, LogCreated)
    assert created.log_id == (await log.head()).log_id == (await again.head()).log_id


async def check_appends_are_gapless_and_ordered(open_log: OpenLog) -> None:
    """Concurrent appends of two openers give one sequence without gap or repetition."""
    logs = (open_log(), open_log())
    await asyncio.gather(*(logs[number % 2].append("anonymous", recording(number)) for number in range(120)))
    events = await everything(logs[0])
    assert len(events) == 121
    assert len({event.payload for event in events}) == 121


async def check_log_time_never_runs_back(open_log: OpenLog) -> None:
    """An event's time is that of the one before when the clock was set back."""
    now = [2_000_000_000_000_000]
    log = open_log(lambda: now[0])
    await log.append("anonymous", recording(1))
    now[0] -= 5_000_000
    await log.append("anonymous", recording(2))
    times = [event.time for event in await everything(log)]
    assert times == sorted(times)


async def check_refusal_records_nothing(open_log: OpenLog) -> None:
    """A refused request leaves no event, and those that share its transaction are recorded."""

    def refuse(facts: Facts, time: int) -> Decision:
        raise NameInvalid("refused")

    log = open_log()
    appends = [log.append("anonymous", refuse if number % 3 == 0 else recording(number)) for number in range(30)]
    answers = await asyncio.gather(*appends, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, NameInvalid)]
    assert len(refused) == 10
    assert len(await everything(log)) == 21


async def check_failure_is_isolated(open_log: OpenLog) -> None:
    """A decision that breaks in its middle takes neither its own facts nor its neighbours' with it."""

    def half(facts: Facts, time: int) -> Decision:
        draft = codec.draft(linked("a/b", b"half"))
        return Decision(facts=(draft, None))  # type: ignore[arg-type]  # the break that is to be survived

    log = open_log()
    appends = [log.append("anonymous", half if number == 5 else recording(number)) for number in range(10)]
    answers = await asyncio.gather(*appends, return_exceptions=True)
    assert [isinstance(answer, Exception) for answer in answers].count(True) == 1
    assert len(await everything(log)) == 10


async def check_decisions_see_what_was_decided_before(open_log: OpenLog) -> None:
    """Of many who want the same thing once, through two openers, exactly one gets it."""
    logs = (open_log(), open_log())
    wants = [logs[number % 2].append("anonymous", partial(move_once, "v1")) for number in range(40)]
    answers = [appended.answer for appended in await asyncio.gather(*wants)]
    assert answers.count(True) == 1


async def check_views_change_with_the_log(open_log: OpenLog) -> None:
    """What an acknowledged append made true is seen by the next decision, by whichever opener."""
    log, other = open_log(), open_log()
    fact = linked("new/repository", b"blob")
    await log.append("anonymous", partial(record, fact))
    async with other.fence() as facts:
        assert facts.blob("new/repository", str(fact.digest)) is not None


async def check_cancelled_caller_harms_nobody(open_log: OpenLog) -> None:
    """A caller that gives up while its request waits neither stops the appender nor leaves a gap."""
    log = open_log()
    tasks = [asyncio.create_task(log.append("anonymous", recording(number))) for number in range(20)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await log.append("anonymous", recording(99))
    assert 12 <= len(await everything(log)) <= 22


async def check_fence_holds_writers_out(open_log: OpenLog) -> None:
    """While the fence is held nothing is recorded, by any opener; afterwards everything is."""
    log, other = open_log(), open_log()
    async with log.fence():
        task = asyncio.create_task(other.append("anonymous", recording(1)))
        own = asyncio.create_task(log.append("anonymous", recording(2)))
        await asyncio.sleep(0.2)
        assert not task.done()
        assert not own.done()
        assert len(await everything(log)) == 1
    await asyncio.gather(task, own)
    assert len(await everything(log)) == 3


async def check_tail_gives_each_event_once(open_log: OpenLog) -> None:
    """A follower sees what was there and what comes, own and foreign, each once and in order."""
    log, other = open_log(), open_log()
    await log.append("anonymous", recording(0))
    seen: list[int] = []

    async def follow() -> None:
        async for event in log.tail(0):
            seen.append(event.sequence)
            if event.sequence == 42:
                return

    follower = asyncio.create_task(follow())
    await asyncio.gather(*((log, other)[number % 2].append("anonymous", recording(number)) for number in range(1, 41)))
    await asyncio.wait_for(follower, 10)
    assert seen == list(range(1, 43))


async def check_cursor_beyond_the_head_is_refused(open_log: OpenLog) -> None:
    """A follower whose cursor the log never reached hears LOG_REWOUND instead of silence."""
    log = open_log()
    refusal = await refusal_of(anext(aiter(log.tail(7))))
    assert isinstance(refusal, LogRewound)
    assert refusal.detail["head"] == 1


async def check_pages_are_bounded(open_log: OpenLog) -> None:
    """A page keeps to its count and its bytes but never is empty while there is more; its cursor leads on."""
    log = open_log()
    for number in range(20):
        await log.append("anonymous", recording(number, "a/b" if number % 2 else "c/d"))
    assert len((await log.read(0, limit=5, bytes_max=BYTES_MAX)).events) == 5
    assert len((await log.read(0, limit=5, bytes_max=1)).events) == 1
    after, seen = 0, []
    while True:
        page = await log.read(after, limit=3, bytes_max=BYTES_MAX, stream="c/d")
        seen += [event.sequence for event in page.events]
        if not page.events:
            break
        after = page.scanned
    assert seen == [event.sequence for event in await everything(log) if event.stream == "c/d"]
    assert (await log.read(0, limit=100, bytes_max=BYTES_MAX, stream="no/such")).scanned == 21


async def check_unknown_errors_are_the_librarys(open_log: OpenLog) -> None:
    """An append that fails for a reason of the log's own raises an error of the library's tree."""
    log = open_log()
    await log.append("anonymous", recording(1))
    closing = getattr(log, "close", None)
    if closing is None:
        return
    await closing()
    refusal = await refusal_of(log.append("anonymous", recording(2)))
    assert isinstance(refusal, BackendUnavailable)


ALL: tuple[LogCheck, ...] = (
    check_log_begins_with_its_creation,
    check_appends_are_gapless_and_ordered,
    check_log_time_never_runs_back,
    check_refusal_records_nothing,
    check_failure_is_isolated,
    check_decisions_see_what_was_decided_before,
    check_views_change_with_the_log,
    check_cancelled_caller_harms_nobody,
    check_fence_holds_writers_out,
    check_tail_gives_each_event_once,
    check_cursor_beyond_the_head_is_refused,
    check_pages_are_bounded,
    check_unknown_errors_are_the_librarys,
)
"""Every check of this contract."""
