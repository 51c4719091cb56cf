"""An ingest of bytes that are there already and a sweep that finds them old never lose them between each other."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from artifactstore.storage.backends.local import LocalStorage
from artifactstore.storage.files import OsFiles
from artifactstore.storage.files_wrapped import WrappedFiles
from artifactstore.testing.faulty import Boundary, BoundaryFiles
from artifactstore.testing.storage_contract import FAR_FUTURE
from tests.contract import sweep_race
from tests.contract.sweep_race import DATA, KEY

CAST = ("put", "put", "sweep")
SECONDS = 2.0


def assert_nothing_lost(seen: Counter[str]) -> None:
    """Both sides were at work, and every look right after a put found the key."""
    assert seen["lost"] == 0, seen
    assert seen["found"] > 20, seen
    assert seen["removed"] > 0, seen


def test_threads_race(tmp_path: Path) -> None:
    """Two threads that put and one that sweeps: after a put the key is there, unless it was old enough again."""
    with ThreadPoolExecutor(len(CAST)) as pool:
        played = pool.map(lambda role: sweep_race.play(role, str(tmp_path), SECONDS), CAST)
        assert_nothing_lost(sum(played, Counter()))


def test_processes_race(tmp_path: Path) -> None:
    """The same holds between processes."""
    command = [sys.executable, sweep_race.__file__]
    running = [subprocess.Popen([*command, role, str(tmp_path), str(SECONDS)], stdout=subprocess.PIPE) for role in CAST]
    printed = [process.communicate(timeout=60)[0] for process in running]
    assert [process.returncode for process in running] == [0] * len(CAST)
    assert_nothing_lost(sum((Counter(json.loads(text)) for text in printed), Counter()))


async def put_inside_delete(root: str, files: OsFiles | WrappedFiles) -> tuple[bool, bool]:
    """Have a put begin when a delete has found the key old and is about to remove it.

    Tells whether the put got through while the delete was there, and whether the key is there when both are done.
    """
    loop = asyncio.get_running_loop()
    other = LocalStorage(root, files=files)
    await other.put_bytes(KEY, DATA)
    puts: list[tuple[bool, asyncio.Task[None]]] = []

    async def begin_put() -> None:
        task = asyncio.create_task(other.put_bytes(KEY, DATA))
        done, _ = await asyncio.wait({task}, timeout=0.3)
        puts.append((bool(done), task))

    def at_unlink(boundary: Boundary) -> None:
        if boundary.operation == "unlink" and not boundary.done and not puts:
            asyncio.run_coroutine_threadsafe(begin_put(), loop).result(timeout=10)

    await LocalStorage(root, files=BoundaryFiles(files, at_unlink)).delete(KEY, if_older_than=FAR_FUTURE)
    ((went_on, task),) = puts
    await task
    return went_on, await other.head(KEY) is not None


async def test_a_put_waits_for_a_delete_that_has_decided(tmp_path: Path) -> None:
    """A put that comes between the test of a delete and its removal waits, and then stores the bytes again."""
    assert await put_inside_delete(str(tmp_path), OsFiles()) == (False, True)


async def test_without_the_lock_the_bytes_are_lost(tmp_path: Path) -> None:
    """The test above has teeth: without the lock the put is acknowledged and its bytes are gone."""

    class Unlocked(WrappedFiles):
        def lock(self, handle: int, *, shared: bool = False, wait: bool = False) -> bool:
            return True

    assert await put_inside_delete(str(tmp_path), Unlocked(OsFiles())) == (True, False)
