"""Lines to a file or a pipe, without ever holding up the event loop."""

from __future__ import annotations

import asyncio
import logging
import os
import queue
import select
import threading
from collections.abc import Callable
from contextlib import suppress

from artifactstore.errors import ConfigInvalid
from artifactstore.storage.files import PRIVATE_FILE

FLUSH_SECONDS = 0.2
"""How long a line waits for others before it is written."""

HELD_BYTES_MAX = 8 << 20
"""What is kept for a reader that has stopped reading; what comes beyond that is dropped, and counted."""

CLOSE_SECONDS = 2.0
LINE_BYTES_MAX = select.PIPE_BUF
"""So many bytes a pipe takes in one piece, whoever else writes to it."""

_STREAMS = {"stdout": 1, "stderr": 2}
_REOPEN = b""
log = logging.getLogger(__name__)


class LineWriter:
    """Writes to `stdout`, `stderr` or the file of a path, in batches, from a thread of its own.

    Each write(2) is of whole lines and at most LINE_BYTES_MAX bytes, so that those of several processes do not mix. A
    reader that is stuck blocks that thread alone; lines are then kept up to HELD_BYTES_MAX and dropped beyond, and
    `tell_loss` makes the line that says how many, once writing goes on. Raises ConfigInvalid for a path that cannot
    be written to.
    """

    def __init__(self, target: str, tell_loss: Callable[[int], str]) -> None:
        self._target = target
        self._tell_loss = tell_loss
        self._handle = _open(target)
        self._lines: list[str] = []
        self._batches: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._given = self._taken = 0  # bytes; one is the loop's to change, the other the thread's
        self._dropped = self._failed = 0  # lines; likewise
        self._told = 0
        self._thread = threading.Thread(target=self._work, name=f"lines to {target}", daemon=True)
        self._thread.start()

    def write(self, line: str) -> None:
        """Add a line, which ends in a line feed and is no longer than LINE_BYTES_MAX; in an event loop."""
        if not self._lines:
            asyncio.get_running_loop().call_later(FLUSH_SECONDS, self.flush)
        self._lines.append(line)

    def flush(self) -> None:
        """Hand over to the thread what has gathered."""
        lines, self._lines = self._lines, []
        if not lines:
            return
        if self._given - self._taken > HELD_BYTES_MAX:
            self._dropped += len(lines)
            return
        lost = self._dropped + self._failed
        if lost > self._told:
            lines.append(self._tell_loss(lost - self._told))
            self._told = lost
        batch = "".join(lines).encode()
        self._given += len(batch)
        self._batches.put(batch)

    def reopen(self) -> None:
        """Go on in a new file of the same path, where the old one was moved away."""
        self.flush()
        self._batches.put(_REOPEN)

    def close(self) -> None:
        """Write what is left, unless the reader is stuck, and let go."""
        self.flush()
        self._batches.put(None)
        self._thread.join(CLOSE_SECONDS)
        if not self._thread.is_alive():
            self._let_go()

    def _work(self) -> None:
        while (batch := self._batches.get()) is not None:
            if batch == _REOPEN:
                self._reopen()
            else:
                self._put(batch)
                self._taken += len(batch)

    def _put(self, batch: bytes) -> None:
        start = 0
        while start < len(batch):
            end = 1 + batch.rfind(b"\n", start, start + LINE_BYTES_MAX)
            try:
                _write(self._handle, batch[start:end])
            except OSError:
                self._failed += batch.count(b"\n", start, end)
            start = end

    def _reopen(self) -> None:
        try:
            handle = _open(self._target)
        except ConfigInvalid as error:
            log.error("%s; writing goes on in the old file", error.message)
            return
        self._let_go()
        self._handle = handle

    def _let_go(self) -> None:
        if self._target not in _STREAMS:
            with suppress(OSError):
                os.close(self._handle)


def check(target: str) -> None:
    """Raises ConfigInvalid unless lines can be written to `target`."""
    handle = _open(target)
    if target not in _STREAMS:
        os.close(handle)


def _open(target: str) -> int:
    if target in _STREAMS:
        return _STREAMS[target]
    try:
        return os.open(target, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
    except OSError as error:
        raise ConfigInvalid(f"{target} cannot be written to: {error.strerror}") from None


def _write(handle: int, data: bytes) -> None:
    """All of it; a handle that was made non-blocking by someone else is waited for."""
    while data:
        try:
            data = data[os.write(handle, data) :]
        except BlockingIOError:
            waiting = select.poll()
            waiting.register(handle, select.POLLOUT)
            waiting.poll()
