"""A file system in memory that can lose power.

Beside what programs see it keeps what a disk would have: the bytes of a file as of its last `sync_data`, the names of a
directory as of its last `sync_directory`. A real disk may have more than that, in any mixture, but never less.
"""

from __future__ import annotations

import errno
import os
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from artifactstore.storage.files import FileStat, OpenMode, now_micros

FREE_BYTES = 1 << 40


@dataclass(eq=False, slots=True)
class _File:
    inode: int
    modified_at: int
    data: bytearray = field(default_factory=bytearray)
    durable: bytes = b""
    durable_modified_at: int = 0


@dataclass(eq=False, slots=True)
class _Directory:
    names: dict[str, _File | _Directory] = field(default_factory=dict)
    durable: dict[str, _File | _Directory] = field(default_factory=dict)


@dataclass(slots=True)
class _Open:
    file: _File
    lock: str = ""


class SimulatedFiles:
    """One disk, from `/`. Safe for threads; locks exclude each other by open handle, as flock does."""

    on_disk = False

    def __init__(self, *, clock: Callable[[], int] = now_micros) -> None:
        self._clock = clock
        self._root = _Directory()
        self._open: dict[int, _Open] = {}
        self._numbers = count(1)
        self._changed = threading.Condition(threading.RLock())

    def open(self, path: str, mode: OpenMode) -> int:
        with self._changed:
            directory, name = self._place(path)
            found = directory.names.get(name)
            if isinstance(found, _Directory):
                raise _error(errno.EISDIR, path)
            if found is None and mode != "create":
                raise _error(errno.ENOENT, path)
            if found is None:
                found = directory.names[name] = _File(next(self._numbers), self._clock())
            handle = next(self._numbers)
            self._open[handle] = _Open(found)
            return handle

    def close(self, handle: int) -> None:
        with self._changed:
            del self._open[handle]
            self._changed.notify_all()

    def read(self, handle: int, size: int, offset: int) -> bytes:
        with self._changed:
            return bytes(self._open[handle].file.data[offset : offset + size])

    def read_cached(self, handle: int, size: int, offset: int) -> bytes | None:
        return self.read(handle, size, offset)

    def write(self, handle: int, data: bytes | memoryview, offset: int) -> None:
        with self._changed:
            file = self._open[handle].file
            file.data.extend(bytes(max(0, offset - len(file.data))))
            file.data[offset : offset + len(data)] = data
            file.modified_at = self._clock()

    def truncate(self, handle: int, size: int) -> None:
        with self._changed:
            file = self._open[handle].file
            del file.data[size:]
            file.data.extend(bytes(size - len(file.data)))
            file.modified_at = self._clock()

    def sync_data(self, handle: int) -> None:
        with self._changed:
            file = self._open[handle].file
            file.durable = bytes(file.data)
            file.durable_modified_at = file.modified_at

    def sync_directory(self, path: str) -> None:
        with self._changed:
            directory = self._directory(path)
            directory.durable = dict(directory.names)

    def lock(self, handle: int, *, shared: bool = False, wait: bool = False) -> bool:
        with self._changed:
            opened = self._open[handle]
            opened.lock = ""
            while not self._free(opened, shared):
                if not wait:
                    return False
                self._changed.wait()
            opened.lock = "shared" if shared else "exclusive"
            return True

    def _free(self, opened: _Open, shared: bool) -> bool:
        others = {other.lock for other in self._open.values() if other.file is opened.file and other is not opened}
        return not (others & ({"exclusive"} if shared else {"exclusive", "shared"}))

    def rename(self, source: str, target: str) -> None:
        with self._changed:
            old, old_name = self._place(source)
            new, new_name = self._place(target)
            moved = self._file(source)
            if isinstance(new.names.get(new_name), _Directory):
                raise _error(errno.EISDIR, target)
            del old.names[old_name]
            new.names[new_name] = moved

    def unlink(self, path: str) -> None:
        with self._changed:
            self._file(path)
            directory, name = self._place(path)
            del directory.names[name]

    def mkdir(self, path: str) -> None:
        with self._changed:
            directory, name = self._place(path)
            if name in directory.names:
                raise _error(errno.EEXIST, path)
            directory.names[name] = _Directory()

    def stat(self, path: str) -> FileStat:
        with self._changed:
            found = self._find(path)
            return FileStat(0, 0, 0) if isinstance(found, _Directory) else _stat(found)

    def stat_open(self, handle: int) -> FileStat:
        with self._changed:
            return _stat(self._open[handle].file)

    def list(self, path: str) -> list[str]:
        with self._changed:
            return [*self._directory(path).names]

    def set_modified(self, path: str, modified_at: int) -> None:
        with self._changed:
            self._file(path).modified_at = modified_at

    def free_bytes(self, path: str) -> int:
        return FREE_BYTES

    def power_loss(self, chance: random.Random | None = None) -> SimulatedFiles:
        """The disk as it is after the power went now: what was synced, and with `chance` some of what was not."""
        with self._changed:
            survivor = SimulatedFiles(clock=self._clock)
            survivor._root = survivor._revive_directory(self._root, chance)
            return survivor

    def _revive_directory(self, lost: _Directory, chance: random.Random | None) -> _Directory:
        names = dict(lost.durable)
        if chance is not None:
            for name in sorted(lost.names.keys() | lost.durable.keys()):
                if lost.names.get(name) is not lost.durable.get(name) and chance.random() < 0.5:
                    names.pop(name, None)
                    names.update({name: lost.names[name]} if name in lost.names else {})
        revived = {name: self._revive(entry, chance) for name, entry in names.items()}
        return _Directory(revived, dict(revived))

    def _revive(self, lost: _File | _Directory, chance: random.Random | None) -> _File | _Directory:
        if isinstance(lost, _Directory):
            return self._revive_directory(lost, chance)
        data = lost.durable if chance is None else _torn(lost, chance)
        return _File(next(self._numbers), lost.durable_modified_at, bytearray(data), data, lost.durable_modified_at)

    def _place(self, path: str) -> tuple[_Directory, str]:
        """The directory that holds, or would hold, the last name of `path`."""
        parent, _, name = path.rpartition("/")
        return self._directory(parent), name

    def _directory(self, path: str) -> _Directory:
        found = self._find(path)
        if not isinstance(found, _Directory):
            raise _error(errno.ENOTDIR, path)
        return found

    def _file(self, path: str) -> _File:
        found = self._find(path)
        if isinstance(found, _Directory):
            raise _error(errno.EISDIR, path)
        return found

    def _find(self, path: str) -> _File | _Directory:
        here: _File | _Directory = self._root
        for name in filter(None, path.split("/")):
            if not isinstance(here, _Directory):
                raise _error(errno.ENOTDIR, path)
            if name not in here.names:
                raise _error(errno.ENOENT, path)
            here = here.names[name]
        return here


def _torn(lost: _File, chance: random.Random) -> bytes:
    """Bytes that a disk may hold of a file: of what changed since the last sync any part, or blanks in its place."""
    if lost.data == lost.durable:
        return lost.durable
    kept = chance.randint(0, len(lost.data))
    outcomes = [
        lost.durable,
        bytes(lost.data),
        bytes(lost.data[:kept]),
        bytes(lost.data[:kept]) + bytes(len(lost.data) - kept),
    ]
    synced = len(lost.durable) if lost.data.startswith(lost.durable) else 0
    return lost.durable[:synced] + chance.choice(outcomes)[synced:]


def _stat(file: _File) -> FileStat:
    return FileStat(len(file.data), file.modified_at, file.inode)


def _error(number: int, path: str) -> OSError:
    return OSError(number, os.strerror(number), path)
