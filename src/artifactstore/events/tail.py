"""Waiting for the log to grow: one watcher for all followers of a process, so that idle ones cost nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from artifactstore.errors import BackendUnavailable

POLL_SECONDS = 0.1
"""How soon an event that another process appended is noticed; own events ring at once."""


class HeadWatcher:
    """Wakes followers when the head passes them. Polls only while somebody waits."""

    def __init__(self, head_sequence: Callable[[], int]) -> None:
        self._head_sequence = head_sequence
        self._grown = asyncio.Event()
        self._waiting = 0
        self._poller: asyncio.Task[None] | None = None

    def ring(self) -> None:
        """An event was appended by this process."""
        self._grown.set()
        self._grown = asyncio.Event()

    async def wait_beyond(self, sequence: int) -> None:
        """Return once the head lies beyond `sequence`. Raises what reading the head raises."""
        self._waiting += 1
        try:
            while (seen := self._head_sequence()) <= sequence:
                if self._poller is None:
                    self._poller = asyncio.create_task(self._poll(seen))
                await self._grown.wait()
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Stop polling, and have every follower look once more."""
        if self._poller is not None:
            self._poller.cancel()
        self.ring()

    async def _poll(self, seen: int) -> None:
        """Ring when the head is not at `seen` any more, where the first follower found it: what came since counts.

        Ring also when the head cannot be read, so that each follower finds that out for itself.
        """
        try:
            while self._waiting:
                await asyncio.sleep(POLL_SECONDS)
                now = self._head_sequence()
                if now != seen:
                    seen = now
                    self.ring()
        except BackendUnavailable:
            self.ring()
        finally:
            self._poller = None
