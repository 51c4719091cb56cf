"""Bytes in flight: what has been received of an object that is not published yet.

Staged bytes are named by an id that the caller chose. They are no objects: nothing can read them by digest, and the
sweep removes what nobody finished. The staged file (or its parts) is the only record of how far an upload came.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from artifactstore.errors import UploadInvalid

_STAGED_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")


@dataclass(frozen=True, slots=True)
class StagedEntry:
    """One staged id: its size in bytes and when it was last written, in microseconds since 1970 UTC."""

    staged_id: str
    size: int
    modified_at: int


def checked_id(staged_id: str) -> str:
    """`staged_id`, when it can be the name of a file; else raises UploadInvalid."""
    if not _STAGED_ID.fullmatch(staged_id):
        raise UploadInvalid("not the id of an upload", detail={"upload": staged_id[:200]})
    return staged_id


class Staging(Protocol):
    """Keeps bytes in flight. Shared by every process (and replica) that serves the same store.

    An id is used for one object only, never again. Every operation raises UploadInvalid for what `checked_id` refuses.
    Staged bytes survive the death of a process; they need not survive a power loss until `Storage.put`.
    """

    def hold(self, staged_id: str) -> AbstractAsyncContextManager[None]:
        """Be the only writer of `staged_id`, among all processes, until the context ends or the process dies.

        Waits a short, bounded time; raises UploadBusy when another still holds it.
        """
        ...

    async def append(self, staged_id: str, offset: int, data: bytes | memoryview) -> int:
        """Write `data` at `offset`, which must be the present size; returns the new size in bytes.

        The first append (offset 0) creates. The caller holds `staged_id`. Raises ChunkOutOfOrder when `offset` is not
        the size, BackendUnavailable when the bytes cannot be written; then the size is what it was.
        """
        ...

    def read(self, staged_id: str) -> AsyncIterator[bytes]:
        """Everything staged so far, from the first byte, in chunks; nothing when the id is unknown."""
        ...

    async def size(self, staged_id: str) -> int:
        """How many bytes are staged; 0 when the id is unknown."""
        ...

    async def truncate(self, staged_id: str, size: int) -> None:
        """Drop what was appended past `size` bytes: how a refused chunk leaves the upload where it was."""
        ...

    def list(self) -> AsyncIterator[StagedEntry]:
        """Every staged id, in no order."""
        ...

    async def discard(self, staged_id: str, *, if_older_than: int | None = None) -> bool:
        """Forget `staged_id`; True when it is gone, False when it was kept. Idempotent.

        With `if_older_than` (microseconds since 1970 UTC) bytes that were appended to since then are kept. The caller
        holds `staged_id`.
        """
        ...
