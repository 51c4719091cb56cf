"""The seam for file operations, on this machine's disk and with faults put in its way."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from artifactstore.errors import BackendUnavailable
from artifactstore.storage.backends.local import LocalStorage
from artifactstore.storage.files import OsFiles
from artifactstore.storage.files_wrapped import UnsyncedFiles, WrappedFiles
from artifactstore.storage.workers import unavailable
from artifactstore.testing.faulty import Boundary, BoundaryFiles, Fault, Plan
from artifactstore.testing.simulated_files import SimulatedFiles
from artifactstore.testing.storage_contract import drain, key_for, put


def open_handles() -> int:
    """How many files this process has open."""
    return len([*Path("/proc/self/fd").iterdir()])


def test_a_file_from_making_to_removal(tmp_path: Path) -> None:
    """Every operation on this machine's file system does what it says."""
    files = OsFiles()
    path, moved = f"{tmp_path}/d/a", f"{tmp_path}/d/b"
    files.mkdir(f"{tmp_path}/d")
    handle = files.open(path, "create")
    files.write(handle, memoryview(b"abcdef"), 0)
    files.truncate(handle, 4)
    files.sync_data(handle)
    files.sync_directory(f"{tmp_path}/d")
    assert files.read(handle, 10, 1) == b"bcd"
    files.set_modified(path, 1_700_000_000_123_456)
    files.rename(path, moved)
    assert files.list(f"{tmp_path}/d") == ["b"]
    assert files.stat(moved) == files.stat_open(handle)
    assert (files.stat(moved).size, files.stat(moved).modified_at) == (4, 1_700_000_000_123_456)
    files.unlink(moved)
    files.close(handle)
    assert files.list(f"{tmp_path}/d") == []
    assert files.free_bytes(str(tmp_path)) > 0
    with pytest.raises(FileNotFoundError):
        files.open(moved, "write")


def test_cached_reads_give_the_bytes_or_none(tmp_path: Path) -> None:
    """A read that must not wait gives bytes from where it was asked, or None; at the end it gives no bytes."""
    files = OsFiles()
    (tmp_path / "a").write_bytes(bytes(range(256)) * 1000)
    handle = files.open(f"{tmp_path}/a", "read")
    for size, offset in ((10, 5), (200_000, 100), (3, 255_998), (5, 256_000)):
        data = files.read_cached(handle, size, offset)
        assert data is None or data == (bytes(range(256)) * 1000)[offset : offset + len(data)]
        assert data is None or len(data) <= size
    files.close(handle)


def test_locks_exclude_handles_of_one_process(tmp_path: Path) -> None:
    """Two handles of the same process exclude each other, and closing one frees the other."""
    files = OsFiles()
    first, second = (files.open(f"{tmp_path}/lock", "create") for _ in range(2))
    assert files.lock(first)
    assert not files.lock(second)
    assert not files.lock(second, shared=True)
    files.close(first)
    assert files.lock(second, wait=True)
    files.close(second)


def test_unsynced_files_sync_nothing() -> None:
    """Without syncs a simulated power loss takes everything."""
    disk = SimulatedFiles()
    files = UnsyncedFiles(disk)
    handle = files.open("/a", "create")
    files.write(handle, b"abc", 0)
    files.sync_data(handle)
    files.sync_directory("/")
    assert disk.list("/") == ["a"]
    assert disk.power_loss().list("/") == []


def test_boundaries_come_in_pairs() -> None:
    """Each changing operation has a boundary before it and one after it, numbered without gaps; reading has none."""
    seen: list[Boundary] = []
    files = BoundaryFiles(SimulatedFiles(), seen.append)
    handle = files.open("/a", "create")
    files.write(handle, b"abc", 0)
    files.truncate(handle, 2)
    files.sync_data(handle)
    assert files.read(handle, 5, 0) == b"ab"
    files.close(handle)
    files.close(files.open("/a", "read"))
    files.set_modified("/a", 5)
    files.rename("/a", "/b")
    files.unlink("/b")
    files.mkdir("/d")
    files.sync_directory("/")
    names = ["create", "write", "truncate", "sync_data", "set_modified", "rename", "unlink", "mkdir", "sync_directory"]
    assert [boundary.index for boundary in seen] == list(range(2 * len(names)))
    assert [boundary.operation for boundary in seen] == [name for name in names for _ in range(2)]
    assert [boundary.done for boundary in seen] == [False, True] * len(names)
    assert seen[2].path == "/a"


@pytest.mark.parametrize(
    ("fault", "number", "done"),
    [
        (Fault.FAILED, errno.EIO, False),
        (Fault.NO_SPACE, errno.ENOSPC, False),
        (Fault.PERSISTED, errno.EIO, True),
    ],
)
@pytest.mark.parametrize("at", [2, 3])
def test_a_planned_failure_strikes_once(fault: Fault, number: int, done: bool, at: int) -> None:
    """A failure strikes the operation of its boundary, before or after it is done, and no other."""
    disk = SimulatedFiles()
    plan = Plan(at, fault)
    files = BoundaryFiles(disk, plan)
    files.mkdir("/a")
    with pytest.raises(OSError) as raised:
        files.mkdir("/b")
    assert raised.value.errno == number
    assert disk.list("/") == (["a", "b"] if done else ["a"])
    assert plan.struck == Boundary(3 if done else 2, "mkdir", "/b", done)
    files.mkdir("/c")


def test_a_planned_kill_ends_the_process() -> None:
    """The process dies of SIGKILL exactly at the boundary."""
    program = """
from artifactstore.testing.faulty import BoundaryFiles, Fault, Plan
from artifactstore.testing.simulated_files import SimulatedFiles
files = BoundaryFiles(SimulatedFiles(), Plan(3, Fault.KILL))
for name in ("/a", "/b", "/c"):
    files.mkdir(name)
    print(name, flush=True)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert ended.stdout.split() == ["/a"]


def test_no_space_left_is_said_in_words() -> None:
    """Of all errors of the operating system a full disk is named, since someone can do something about it."""
    assert "no space left" in unavailable(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))).message
    assert unavailable(OSError(errno.EIO, os.strerror(errno.EIO))).detail == {"errno": "EIO"}


async def test_a_root_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    """A root below a file is BackendUnavailable at once, not at the first put."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(BackendUnavailable):
        LocalStorage(f"{tmp_path}/file/root")


async def test_a_full_disk_is_not_ready(tmp_path: Path) -> None:
    """The probe of a disk that takes no bytes says so."""

    class Full(WrappedFiles):
        def write(self, handle: int, data: bytes | memoryview, offset: int) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    status = await LocalStorage(str(tmp_path), files=Full(OsFiles())).health()
    assert not status.ready
    assert "no space left" in status.message


async def test_cold_bytes_are_read_in_a_thread(tmp_path: Path) -> None:
    """Where nothing is in memory a read still gives every byte."""

    class Cold(WrappedFiles):
        def read_cached(self, handle: int, size: int, offset: int) -> bytes | None:
            return None

    storage = LocalStorage(str(tmp_path), files=Cold(OsFiles()))
    data = os.urandom(3_000_001)
    key = await put(storage, data)
    assert await drain(await storage.get(key)) == data
    assert await drain(await storage.get(key, 1_000_000, 1_500_000)) == data[1_000_000:2_500_000]


async def test_reads_give_their_handle_back(tmp_path: Path) -> None:
    """A read that ends, is closed, is dropped half-way or is never begun leaves no open file."""
    storage = LocalStorage(str(tmp_path))
    key = await put(storage, os.urandom(1_000_000))
    before = open_handles()
    await drain(await storage.get(key))
    await storage.get(key)
    half = await storage.get(key)
    await anext(half.chunks)
    del half
    for _ in range(1000):  # the thread that opened it may be about to let go of its result
        if open_handles() == before:
            return
        await asyncio.sleep(0.005)
    raise AssertionError("a file stays open")


async def test_foreign_files_are_passed_over(tmp_path: Path) -> None:
    """Files that the store did not make are neither objects nor staged bytes, and do no harm to a listing."""
    storage = LocalStorage(str(tmp_path))
    await put(storage, b"abc")
    for stray in ("objects/README", "objects/blake3/note", "staging/.hidden"):
        (tmp_path / stray).write_bytes(b"stray")
    assert [entry.key async for entry in storage.list()] == [key_for(b"abc")]
    assert [entry.staged_id async for entry in storage.staging.list()] == []
