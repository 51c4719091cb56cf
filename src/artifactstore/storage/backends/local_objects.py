"""The names under `objects/`: how an object gets its name, keeps it and loses it. Blocking: call it in threads.

What `put` promises is kept by this order: the staged file's bytes are synced, then every directory on the way that may
be new, then the name is moved into place, then its directory is synced. Whoever finds the name already there knows that
all but the last was done: the process that made the name may not have lived to sync it, and so it is synced again.

Asking "is it there?" and acting on the answer is one step under a lock on `sweep.lock`, held for microseconds: shared
to refresh what is there; exclusive to publish what is not, to withdraw it, and to delete. So of two puts of one key the
second finds what the first made, and a sweep never removes what a put has just refreshed.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from artifactstore.storage.files import Files, FileStat, parent_of
from artifactstore.storage.spi import StoredEntry


class LocalObjects:
    """The objects of one root directory."""

    def __init__(self, root: str, files: Files, clock: Callable[[], int]) -> None:
        self.directory = f"{root}/objects"
        self._lock_path = f"{root}/sweep.lock"
        self._files = files
        self._clock = clock
        self._durable = {self.directory}

    def path(self, key: str) -> str:
        """Where the object of `key` lies: the one place that knows."""
        return f"{self.directory}/{key}"

    def stat(self, key: str) -> FileStat | None:
        """What is known of an object, or None."""
        try:
            return self._files.stat(self.path(key))
        except FileNotFoundError:
            return None

    @contextmanager
    def _locked(self, *, shared: bool = False) -> Iterator[None]:
        handle = self._files.open(self._lock_path, "create")
        try:
            self._files.lock(handle, shared=shared, wait=True)
            yield
        finally:
            self._files.close(handle)

    def refresh(self, key: str) -> bool:
        """Whether the object is there; then, on return, it is as new, and durable."""
        with self._locked(shared=True):
            found = self.stat(key)
            if found is None:
                return False
            self._touch(key, found)
        self._files.sync_directory(parent_of(self.path(key)))
        return True

    def _touch(self, key: str, found: FileStat) -> None:
        """Set the time to now, and to another than before in any case: `_withdraw` reads a refresh from it."""
        self._files.set_modified(self.path(key), max(self._clock(), found.modified_at + 1))

    def publish(self, key: str, staged_path: str, handle: int) -> bool:
        """Move the synced file to its name, True; or refresh what got that name in the meantime, False."""
        directory = parent_of(self.path(key))
        ours: FileStat | None = None
        try:
            self._ensure_durable(directory)
            with self._locked():
                found = self.stat(key)
                if found is None:
                    self._files.set_modified(staged_path, self._clock())
                    ours = self._files.stat_open(handle)
                    self._files.rename(staged_path, self.path(key))
                else:
                    self._touch(key, found)
            self._files.sync_directory(directory)
        except OSError:
            self._durable = {self.directory}  # someone may have tidied empty directories away
            if ours is not None:
                self._withdraw(key, ours, staged_path)
            raise
        return ours is not None

    def _withdraw(self, key: str, ours: FileStat, staged_path: str) -> None:
        """Move back what could not be made durable, unless another put has built on it in the meantime."""
        with suppress(OSError), self._locked():
            if self.stat(key) == ours:
                self._files.rename(self.path(key), staged_path)

    def _ensure_durable(self, directory: str) -> None:
        """Make a directory below `objects/`, and every name that leads to it, durable; once per process.

        One that is there already may have been made by a process that died before it synced the parent.
        """
        if directory in self._durable:
            return
        parent = parent_of(directory)
        self._ensure_durable(parent)
        with suppress(FileExistsError):
            self._files.mkdir(directory)
        self._files.sync_directory(parent)
        self._durable.add(directory)

    def delete(self, key: str, if_older_than: int | None) -> bool:
        """Remove the name, and sync that, so that a power loss does not bring the object back."""
        with self._locked():
            found = self.stat(key)
            if found is None:
                return True
            if if_older_than is not None and found.modified_at >= if_older_than:
                return False
            self._files.unlink(self.path(key))
        self._files.sync_directory(parent_of(self.path(key)))
        return True

    def names(self, prefix: str = "") -> builtins.list[str]:
        """What lies in a directory; nothing in what is none, or is gone."""
        try:
            return self._files.list(self.path(prefix).rstrip("/"))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def entries(self, prefix: str) -> builtins.list[StoredEntry]:
        """Every object two levels below `prefix`, as `<algorithm>/<hex[0:2]>` is."""
        seconds = [f"{prefix}/{name}" for name in self.names(prefix)]
        keys = [f"{second}/{name}" for second in seconds for name in self.names(second)]
        stats = ((key, self.stat(key)) for key in keys)
        return [StoredEntry(key, stat.size, stat.modified_at) for key, stat in stats if stat]
