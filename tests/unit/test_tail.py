"""The watcher of the head misses nothing, whenever and by whomever an event is appended."""

from __future__ import annotations

import asyncio

from artifactstore.errors import BackendUnavailable
from artifactstore.events.tail import HeadWatcher

PATIENCE_SECONDS = 5


class Log:
    """A head as it is found, one look after the other, and the last one for ever; -1: it cannot be read."""

    def __init__(self, *looks: int) -> None:
        self._looks = list(looks)

    def head(self) -> int:
        found = self._looks.pop(0) if len(self._looks) > 1 else self._looks[0]
        if found < 0:
            raise BackendUnavailable("the database is away for a moment")
        return found


async def test_what_came_before_the_first_poll_is_noticed() -> None:
    """An event that another process appends between a follower's look and the poller's first wakes the follower."""
    watcher = HeadWatcher(Log(5, 6).head)
    await asyncio.wait_for(watcher.wait_beyond(5), PATIENCE_SECONDS)
    watcher.close()


async def test_polling_goes_on_after_a_failure() -> None:
    """A follower who finds the database well again after the poller failed is woken by later events."""
    watcher = HeadWatcher(Log(5, 5, -1, 5, 5, 6).head)
    await asyncio.wait_for(watcher.wait_beyond(5), PATIENCE_SECONDS)
    watcher.close()
