"""What only the local backend can go through: races for a file's name, disks that fail half-way, tidied directories."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from artifactstore.bootstrap import open_registry
from artifactstore.config import Config
from artifactstore.errors import BackendUnavailable, ChunkOutOfOrder, UploadBusy
from artifactstore.identity.actor import ANONYMOUS
from artifactstore.identity.names import RepositoryName
from artifactstore.storage.backends.local import LocalStorage
from artifactstore.storage.files import OsFiles
from artifactstore.storage.files_wrapped import WrappedFiles
from artifactstore.testing.storage_contract import drain, key_for, put
from tests.stores import chunks, push_image


async def test_a_lock_on_a_file_that_lost_its_name_is_no_hold(tmp_path: Path) -> None:
    """One who locks a file that was published or removed after it was opened goes on to the file of that name."""

    class RemovedBeforeLock(WrappedFiles):
        removed = 0

        def lock(self, handle: int, *, shared: bool = False, wait: bool = False) -> bool:
            if self.removed < 2:
                self.removed += 1
                (tmp_path / "staging" / "one").unlink()
            return self.inner.lock(handle, shared=shared, wait=wait)

    first = LocalStorage(str(tmp_path), files=RemovedBeforeLock(OsFiles())).staging
    second = LocalStorage(str(tmp_path), busy_after=0.05).staging
    async with first.hold("one"):
        with pytest.raises(UploadBusy):
            async with second.hold("one"):
                pass
        await first.append("one", 0, b"abc")
    assert await second.size("one") == 3


class Failing(WrappedFiles):
    """A disk that fails while `broken`, after it did half of what it was asked."""

    broken = False

    def write(self, handle: int, data: bytes | memoryview, offset: int) -> None:
        self.inner.write(handle, data[: len(data) // 2] if self.broken else data, offset)
        self._fail(errno.ENOSPC)

    def sync_data(self, handle: int) -> None:
        self.inner.sync_data(handle)
        self._fail(errno.EIO)

    def _fail(self, number: int) -> None:
        if self.broken:
            raise OSError(number, os.strerror(number))


async def test_a_half_written_append_is_taken_back(tmp_path: Path) -> None:
    """An append that the disk took only in part leaves the size as it was, and says that no space is left."""
    files = Failing(OsFiles())
    staging = LocalStorage(str(tmp_path), files=files).staging
    async with staging.hold("one"):
        await staging.append("one", 0, b"abc")
        files.broken = True
        with pytest.raises(BackendUnavailable, match="no space left"):
            await staging.append("one", 3, b"defghi")
        assert await staging.size("one") == 3
        files.broken = False
        assert await staging.append("one", 3, b"xyz") == 6
    assert b"".join([chunk async for chunk in staging.read("one")]) == b"abcxyz"


async def test_bytes_that_failed_to_sync_are_not_tried_again(tmp_path: Path) -> None:
    """After a failed sync the staged bytes are dropped, because the kernel would call a second sync a success."""
    files = Failing(OsFiles())
    storage = LocalStorage(str(tmp_path), files=files)
    async with storage.staging.hold("one"):
        await storage.staging.append("one", 0, b"abc")
        files.broken = True
        with pytest.raises(BackendUnavailable):
            await storage.put(key_for(b"abc"), "one")
        assert await storage.staging.size("one") == 0
    assert await storage.head(key_for(b"abc")) is None


async def test_tidied_directories_come_back(tmp_path: Path) -> None:
    """When someone removed the directories below `objects`, at most one put fails of it."""
    storage = LocalStorage(str(tmp_path))
    await put(storage, b"abc")
    shutil.rmtree(tmp_path / "objects" / "blake3")
    with pytest.raises(BackendUnavailable):
        await put(storage, b"abc")
    assert await drain(await storage.get(await put(storage, b"abc"))) == b"abc"


async def test_a_root_may_be_made_by_many_at_once(tmp_path: Path) -> None:
    """Opening a root that is there already, or in the making, succeeds and changes nothing in it."""
    key = await put(LocalStorage(f"{tmp_path}/a/b/"), b"abc")
    assert await drain(await LocalStorage(f"{tmp_path}/a/b").get(key)) == b"abc"


async def test_torn_note_says_nothing(tmp_path: Path) -> None:
    """A note of which a power loss left zeros or half does not stand in the way of its upload."""
    storage = LocalStorage(str(tmp_path))
    for staged_id, note in (("zeros", b"\0" * 80), ("half", b"blake3/ab/cd"), ("empty", b"")):
        (tmp_path / "staging" / f"{staged_id}.moved").write_bytes(note)
        assert await storage.staging.size(staged_id) == 0
        async with storage.staging.hold(staged_id):
            assert await storage.staging.append(staged_id, 0, b"abc") == 3
    storage.close()


async def test_two_who_hold_around_a_publication_let_go_of_their_own(tmp_path: Path) -> None:
    """Once the file is published another may hold its id before the publisher lets go; both end, and no lock stays."""
    storage = LocalStorage(str(tmp_path), busy_after=0.05)
    staging = storage.staging
    async with AsyncExitStack() as publisher:
        await publisher.enter_async_context(staging.hold("one"))
        await staging.append("one", 0, b"abc")
        await storage.put(key_for(b"abc"), "one", keep=True)
        async with staging.hold("one"):
            await publisher.aclose()
            with pytest.raises(ChunkOutOfOrder):
                await staging.append("one", 3, b"more")
    async with staging.hold("one"):
        assert await staging.size("one") == 3
    assert await drain(await storage.get(key_for(b"abc"))) == b"abc"


async def test_a_store_is_its_users_alone(tmp_path: Path) -> None:
    """Nobody else can read a directory or file of a new store, SQLite's own among them, whatever the umask."""
    before = os.umask(0)
    try:
        registry = open_registry(Config(data=str(tmp_path / "data")), create=True)
        await push_image(registry, "a", "v1", [b"layer", b"x" * 2_000_000])
        upload = await registry.open_upload(ANONYMOUS, RepositoryName("a"))
        await registry.append_upload(ANONYMOUS, RepositoryName("a"), upload.upload_id, chunks(b"part"))
        made = {path: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "data").rglob("*")}
        await registry.close()
    finally:
        os.umask(before)
    assert {path.suffix for path in made} >= {".sqlite", ".sqlite-wal", ".sqlite-shm"}
    assert (tmp_path / "data" / "storage" / "staging" / upload.upload_id) in made
    assert [path for path, mode in made.items() if mode != (0o700 if path.is_dir() else 0o600)] == []
