"""Programs with a terminal before them, and somebody who types."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

SECONDS_MAX = 120
# The terminal becomes the one that Ctrl-C is sent by; in a process of its own, since tests have threads.
_TAKE = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"


def talk(
    command: Sequence[str], typed: Callable[[bytes], bytes], environment: Mapping[str, str] | None = None
) -> tuple[int, str]:
    """What a program ends with and what it showed; `typed` says, of all that is shown so far, what to type now."""
    screen, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", _TAKE, *command],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env=environment,
        start_new_session=True,
    )
    os.close(terminal)
    shown = b""
    try:
        with suppress(OSError):  # a terminal whose last program ended reads as an error on Linux
            while select.select([screen], [], [], SECONDS_MAX)[0] and (part := os.read(screen, 4096)):
                shown += part
                if keys := typed(shown):
                    os.write(screen, keys)
        return process.wait(SECONDS_MAX), shown.decode()
    finally:
        os.close(screen)
        process.kill()
        process.wait(SECONDS_MAX)
