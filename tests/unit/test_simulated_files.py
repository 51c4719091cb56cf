"""The simulated disk does what a disk does: it keeps what was synced and may lose the rest."""

from __future__ import annotations

import random
import threading

import pytest

from artifactstore.testing.simulated_files import SimulatedFiles


def disk() -> SimulatedFiles:
    """A disk with one durable, empty directory `/d`."""
    files = SimulatedFiles()
    files.mkdir("/d")
    files.sync_directory("/")
    return files


def write(files: SimulatedFiles, path: str, data: bytes, *, sync: bool = False) -> None:
    """Write a file from its start."""
    handle = files.open(path, "create")
    files.write(handle, data, 0)
    if sync:
        files.sync_data(handle)
    files.close(handle)


def read(files: SimulatedFiles, path: str) -> bytes:
    """The whole of a file."""
    handle = files.open(path, "read")
    try:
        return files.read(handle, files.stat_open(handle).size, 0)
    finally:
        files.close(handle)


def test_a_name_needs_its_directory_synced() -> None:
    """A file whose bytes were synced but whose directory was not is gone."""
    files = disk()
    write(files, "/d/a", b"abc", sync=True)
    assert files.power_loss().list("/d") == []
    files.sync_directory("/d")
    assert read(files.power_loss(), "/d/a") == b"abc"


def test_bytes_need_their_file_synced() -> None:
    """A file whose name was synced but whose bytes were not is there and empty; later bytes are lost alike."""
    files = disk()
    write(files, "/d/a", b"abc")
    files.sync_directory("/d")
    assert read(files.power_loss(), "/d/a") == b""
    write(files, "/d/a", b"abc", sync=True)
    write(files, "/d/a", b"abcdef")
    assert read(files, "/d/a") == b"abcdef"
    assert read(files.power_loss(), "/d/a") == b"abc"


def test_a_directory_needs_its_parent_synced() -> None:
    """What is durable in a directory is lost with the directory's own name."""
    files = disk()
    files.mkdir("/d/e")
    write(files, "/d/e/a", b"abc", sync=True)
    files.sync_directory("/d/e")
    assert files.power_loss().list("/d") == []
    files.sync_directory("/d")
    assert read(files.power_loss(), "/d/e/a") == b"abc"


def test_a_rename_needs_its_directory_synced() -> None:
    """An unsynced rename leaves the old name, a synced one the new name with the bytes."""
    files = disk()
    write(files, "/d/a", b"abc", sync=True)
    files.sync_directory("/d")
    files.rename("/d/a", "/d/b")
    assert files.list("/d") == ["b"]
    assert files.power_loss().list("/d") == ["a"]
    files.sync_directory("/d")
    assert read(files.power_loss(), "/d/b") == b"abc"
    assert files.power_loss().list("/d") == ["b"]


def test_an_unlink_needs_its_directory_synced() -> None:
    """A file that was removed without a sync is back after a power loss."""
    files = disk()
    write(files, "/d/a", b"abc", sync=True)
    files.sync_directory("/d")
    files.unlink("/d/a")
    assert read(files.power_loss(), "/d/a") == b"abc"
    files.sync_directory("/d")
    assert files.power_loss().list("/d") == []


def test_a_power_loss_is_a_copy() -> None:
    """What goes on after a power loss does not reach the disk as it was then, and a second loss changes nothing."""
    files = disk()
    write(files, "/d/a", b"abc", sync=True)
    files.sync_directory("/d")
    lost = files.power_loss()
    write(files, "/d/a", b"xyz", sync=True)
    assert read(lost, "/d/a") == b"abc"
    assert read(lost.power_loss(), "/d/a") == b"abc"


def test_a_real_disk_may_keep_more() -> None:
    """With a random generator unsynced names and bytes are kept or lost in every mixture, synced ones never lost."""
    files = disk()
    write(files, "/d/synced", b"abc", sync=True)
    files.sync_directory("/d")
    write(files, "/d/synced", b"abcdef")
    write(files, "/d/fresh", b"0123456789")
    seen = set()
    for seed in range(300):
        lost = files.power_loss(random.Random(seed))
        kept = read(lost, "/d/synced")
        assert kept.startswith(b"abc")
        seen.add((kept, "fresh" in lost.list("/d")))
    assert {(b"abc", False), (b"abcdef", True), (b"abc", True), (b"abcdef", False), (b"abc\0\0\0", True)} <= seen


def test_time_and_identity() -> None:
    """A file keeps its identity when it is renamed, and the time that was set until it is written to."""
    files = disk()
    write(files, "/d/a", b"abc")
    before = files.stat("/d/a")
    files.set_modified("/d/a", 17)
    files.rename("/d/a", "/d/b")
    after = files.stat("/d/b")
    assert (after.inode, after.modified_at, after.size) == (before.inode, 17, 3)
    write(files, "/d/b", b"x")
    assert files.stat("/d/b").modified_at > 17


def test_an_open_file_outlives_its_name() -> None:
    """Reading and writing go on through a handle whose name is gone."""
    files = disk()
    handle = files.open("/d/a", "create")
    files.unlink("/d/a")
    files.write(handle, b"abc", 2)
    assert files.read(handle, 10, 0) == b"\0\0abc"
    files.truncate(handle, 3)
    assert files.stat_open(handle).size == 3
    files.close(handle)


@pytest.mark.parametrize(
    ("operation", "error"),
    [
        (lambda files: files.open("/d/none", "read"), FileNotFoundError),
        (lambda files: files.open("/d/none", "write"), FileNotFoundError),
        (lambda files: files.open("/none/a", "create"), FileNotFoundError),
        (lambda files: files.open("/d", "read"), IsADirectoryError),
        (lambda files: files.mkdir("/d"), FileExistsError),
        (lambda files: files.unlink("/d/none"), FileNotFoundError),
        (lambda files: files.unlink("/d"), IsADirectoryError),
        (lambda files: files.rename("/d/none", "/d/a"), FileNotFoundError),
        (lambda files: files.rename("/f", "/d"), IsADirectoryError),
        (lambda files: files.stat("/f/a"), NotADirectoryError),
        (lambda files: files.list("/f"), NotADirectoryError),
        (lambda files: files.list("/none"), FileNotFoundError),
        (lambda files: files.sync_directory("/none"), FileNotFoundError),
        (lambda files: files.set_modified("/none", 1), FileNotFoundError),
    ],
)
def test_errors(operation: object, error: type[OSError]) -> None:
    """What a real file system refuses is refused with the same kind of error."""
    files = disk()
    write(files, "/f", b"")
    with pytest.raises(error):
        operation(files)  # type: ignore[operator]


def test_locks_exclude_by_handle() -> None:
    """Shared locks go together, an exclusive one goes alone, and closing the handle ends a lock."""
    files = disk()
    first, second, third = (files.open("/d/lock", "create") for _ in range(3))
    assert files.lock(first, shared=True)
    assert files.lock(second, shared=True)
    assert not files.lock(third)
    files.close(first)
    files.close(second)
    assert files.lock(third)
    fourth = files.open("/d/lock", "create")
    assert not files.lock(fourth, shared=True)
    waiting = threading.Thread(target=lambda: files.lock(fourth, wait=True))
    waiting.start()
    files.close(third)
    waiting.join(timeout=5)
    assert not waiting.is_alive()
