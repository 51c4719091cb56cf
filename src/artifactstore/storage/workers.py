"""Blocking work off the event loop, in threads of the owner's own."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from artifactstore.errors import BackendUnavailable

T = TypeVar("T")
P = ParamSpec("P")


async def uninterrupted(work: Awaitable[T]) -> T:
    """Await `work` to its end; a cancellation that comes meanwhile is raised after it, whatever `work` came to."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            try:
                await asyncio.wait({task})
            except asyncio.CancelledError:
                continue
        if not task.cancelled():
            task.exception()
        raise


def unavailable(error: OSError) -> BackendUnavailable:
    """What an error of the operating system means to callers."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return BackendUnavailable("no space left in the storage", detail={"errno": errno.errorcode[error.errno]})
    name = errno.errorcode.get(error.errno or 0, "unknown")
    return BackendUnavailable(f"the storage answers: {error.strerror or error}", detail={"errno": name})


class Workers:
    """A pool of threads. It starts them when first needed and keeps them until `close`."""

    def __init__(self, name: str, count: int | None = None) -> None:
        self._pool = ThreadPoolExecutor(count or 4 + 4 * (os.cpu_count() or 1), thread_name_prefix=name)

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do `work` in a thread; OSError becomes BackendUnavailable.

        A cancelled caller gets its CancelledError only when the thread is through, so that nothing goes on behind it.
        """
        loop = asyncio.get_running_loop()
        try:
            return await uninterrupted(loop.run_in_executor(self._pool, lambda: work(*args, **kwargs)))
        except OSError as error:
            raise unavailable(error) from error

    def close(self) -> None:
        """Let the threads end once their work is done."""
        self._pool.shutdown(wait=False)
