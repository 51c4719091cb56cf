"""File operations that go wrong on purpose, at a chosen place."""

from __future__ import annotations

import errno
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum

from artifactstore.storage.files import Files, OpenMode
from artifactstore.storage.files_wrapped import WrappedFiles


@dataclass(frozen=True, slots=True)
class Boundary:
    """A moment right before (`done` False, even index) or right after (`done`, odd index) a changing operation."""

    index: int
    operation: str
    path: str
    done: bool


OnBoundary = Callable[[Boundary], None]
"""Called at each boundary, in the thread of the operation; what it raises is raised by the operation."""


class Boundaries:
    """Calls `on_boundary` before and after each operation, whoever does it.

    Operations are numbered from 0 in the order in which they begin: number n has the boundaries 2n and 2n+1.
    """

    def __init__(self, on_boundary: OnBoundary) -> None:
        self._on_boundary = on_boundary
        self._guard = threading.Lock()
        self.operations = 0

    @contextmanager
    def around(self, operation: str, path: str) -> Iterator[None]:
        """Do one operation between its two boundaries."""
        with self._guard:
            index = 2 * self.operations
            self.operations += 1
        self._on_boundary(Boundary(index, operation, path, done=False))
        yield
        self._on_boundary(Boundary(index + 1, operation, path, done=True))


class BoundaryFiles(WrappedFiles):
    """Has boundaries around each operation that changes bytes or names, or makes them durable."""

    def __init__(self, inner: Files, on_boundary: OnBoundary) -> None:
        super().__init__(inner)
        self._boundaries = Boundaries(on_boundary)
        self._around = self._boundaries.around
        self._paths: dict[int, str] = {}

    @property
    def operations(self) -> int:
        """How many operations began."""
        return self._boundaries.operations

    def open(self, path: str, mode: OpenMode) -> int:
        if mode != "create":
            handle = self.inner.open(path, mode)
        else:
            with self._around("create", path):
                handle = self.inner.open(path, mode)
        self._paths[handle] = path
        return handle

    def close(self, handle: int) -> None:
        self._paths.pop(handle, None)
        self.inner.close(handle)

    def write(self, handle: int, data: bytes | memoryview, offset: int) -> None:
        with self._around("write", self._paths[handle]):
            self.inner.write(handle, data, offset)

    def truncate(self, handle: int, size: int) -> None:
        with self._around("truncate", self._paths[handle]):
            self.inner.truncate(handle, size)

    def sync_data(self, handle: int) -> None:
        with self._around("sync_data", self._paths[handle]):
            self.inner.sync_data(handle)

    def sync_directory(self, path: str) -> None:
        with self._around("sync_directory", path):
            self.inner.sync_directory(path)

    def rename(self, source: str, target: str) -> None:
        with self._around("rename", target):
            self.inner.rename(source, target)

    def unlink(self, path: str) -> None:
        with self._around("unlink", path):
            self.inner.unlink(path)

    def mkdir(self, path: str) -> None:
        with self._around("mkdir", path):
            self.inner.mkdir(path)

    def set_modified(self, path: str, modified_at: int) -> None:
        with self._around("set_modified", path):
            self.inner.set_modified(path, modified_at)


class Fault(Enum):
    """What goes wrong at a boundary."""

    KILL = "killed"
    FAILED = "failed"
    PERSISTED = "failed but persisted"
    NO_SPACE = "no space left"


@dataclass(slots=True)
class Plan:
    """One fault, once: an `on_boundary` for `BoundaryFiles`.

    KILL strikes exactly at boundary `at`. The failures strike the operation to which that boundary belongs: FAILED and
    NO_SPACE instead of it, PERSISTED after it. `struck` is the boundary where it happened.
    """

    at: int
    fault: Fault
    struck: Boundary | None = None

    def __call__(self, boundary: Boundary) -> None:
        """Strike, if this is the place."""
        if self.struck is not None or not self._hits(boundary):
            return
        self.struck = boundary
        if self.fault is Fault.KILL:
            os.kill(os.getpid(), signal.SIGKILL)
        number = errno.ENOSPC if self.fault is Fault.NO_SPACE else errno.EIO
        raise OSError(number, os.strerror(number), boundary.path)

    def _hits(self, boundary: Boundary) -> bool:
        if self.fault is Fault.KILL:
            return boundary.index == self.at
        return boundary.index // 2 == self.at // 2 and boundary.done == (self.fault is Fault.PERSISTED)
