"""A layout in a directory, read and written."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from secrets import token_hex
from typing import IO

from artifactstore.errors import (
    BackendUnavailable,
    DigestInvalid,
    DirectoryOccupied,
    ManifestInvalid,
    ParameterInvalid,
    SizeInvalid,
)
from artifactstore.identity.digest import Digest
from artifactstore.storage.files import Files, OsFiles
from artifactstore.transfer.layout import INDEX, MARK, MARK_BYTES, LayoutIndex, blob_path
from artifactstore.transfer.layout_source import Layout
from artifactstore.transfer.spi import Chunks, Content, Opening
from artifactstore.transfer.verifying import verified

CHUNK_BYTES = 1 << 20
UNFINISHED = ".artifactstore-"
"""How the name of a file begins that is being written."""


class DirectoryFiles:
    """The files below a directory."""

    def __init__(self, root: Path) -> None:
        self.name = str(root)
        self._root = root

    def size(self, path: str) -> int | None:
        file = self._root / path
        try:
            return file.stat().st_size if file.is_file() else None
        except OSError:
            return None

    async def chunks(self, path: str, offset: int = 0) -> Chunks:
        with translated(f"{path} in {self.name} cannot be read"), self._open(path) as file:
            file.seek(offset)
            while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
                yield chunk

    def _open(self, path: str) -> IO[bytes]:
        """At once: a file that a thread opened for somebody who was cancelled meanwhile would be nobody's to close."""
        return (self._root / path).open("rb")

    async def close(self) -> None:
        """Nothing is held open."""


class DirectoryKeeper:
    """Writes a layout into a directory, or adds to the one that is there. A file is whole under its name, or absent.

    The directory is locked from `open` to the end: two that write an index would each leave out what the other adds.
    """

    def __init__(self, root: Path) -> None:
        self.name = str(root)
        self._root = root
        self._files = DirectoryFiles(root)
        self._disk: Files = OsFiles()
        self._lock: int | None = None
        self._sound: set[Digest] = set()

    async def open(self) -> LayoutIndex:
        """Make the directory, or go on with the layout that is there.

        Raises ManifestInvalid for anything else, DirectoryOccupied while another export writes into it.
        """
        if self._root.exists() and not self._root.is_dir():
            raise ParameterInvalid(f"{self.name} is a file: name a directory, or a file that ends in .tar")
        try:
            with translated(f"{self.name} cannot be written to"):
                self._root.mkdir(parents=True, exist_ok=True)
                self._take()
                self._clear()
            if self._files.size(INDEX) is None:
                await self._write(MARK, MARK_BYTES)
                return LayoutIndex()
            return (await Layout.read(self._files)).index
        except BaseException:
            self._let_go()
            raise

    def _take(self) -> None:
        """Lock the directory itself, so that no file for that is in the layout."""
        self._lock = self._disk.open(str(self._root), "read")
        if not self._disk.lock(self._lock):
            raise DirectoryOccupied(f"another export is writing into {self.name}")

    def _clear(self) -> None:
        """Remove what an export that was killed left half written. Raises ManifestInvalid for what is no layout."""
        for left in (*self._root.glob(f"{UNFINISHED}*"), *self._root.glob(f"blobs/*/{UNFINISHED}*")):
            left.unlink()
        if any(self._root.iterdir()) and self._files.size(MARK) is None:
            raise ManifestInvalid(f"{self.name} has something in it and is no layout")

    def _let_go(self) -> None:
        if self._lock is not None:
            self._disk.close(self._lock)
            self._lock = None

    async def has(self, content: Content) -> bool:
        """Whether the blob is there; one that was not written by this export is read to know that it is what it was."""
        path = blob_path(content.digest)
        if content.digest not in self._sound:
            if self._files.size(path) != content.size:
                return False
            try:
                async for _ in verified(content, partial(self._files.chunks, path)):
                    pass
            except (DigestInvalid, SizeInvalid):
                return False
            self._sound.add(content.digest)
        return True

    async def put(self, content: Content, opening: Opening) -> None:
        """Write a blob and verify it."""
        with self._new(blob_path(content.digest)) as file:
            async for chunk in verified(content, opening):
                await asyncio.to_thread(file.write, chunk)
        self._sound.add(content.digest)

    async def put_bytes(self, digest: Digest, body: bytes) -> None:
        """Write what is known to have its digest."""
        await self._write(blob_path(digest), body)

    async def finish(self, index: bytes) -> None:
        """Write the index; from now on the new content is in the layout, whatever happens to the machine."""
        with translated(f"{self.name} cannot be made durable"):
            for directory in (*self._root.glob("blobs/*/"), *self._root.glob("blobs/"), self._root):
                await asyncio.to_thread(self._disk.sync_directory, str(directory))
            with suppress(PermissionError):  # one above that is not ours to open is not ours to sync
                await asyncio.to_thread(self._disk.sync_directory, str(self._root.absolute().parent))
            await self._write(INDEX, index)
            await asyncio.to_thread(self._disk.sync_directory, str(self._root))
        self._let_go()

    async def abort(self) -> None:
        """What was written stays: the next export into this directory need not write it again."""
        self._let_go()

    async def _write(self, path: str, body: bytes) -> None:
        with self._new(path) as file:
            await asyncio.to_thread(file.write, body)

    @contextmanager
    def _new(self, path: str) -> Iterator[IO[bytes]]:
        final = self._root / path
        with translated(f"{path} in {self.name} cannot be written"):
            final.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(final) as file:
                yield file


@contextmanager
def whole_file(final: Path) -> Iterator[IO[bytes]]:
    """A file that gets its name when it is written and synced, and vanishes when it is not. Raises OSError.

    The name is durable when its directory is synced.
    """
    written = final.absolute().parent / f"{UNFINISHED}{token_hex(8)}"
    with written.open("xb") as file:
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            written.replace(final)
        except BaseException:
            with suppress(OSError):
                written.unlink()
            raise


@contextmanager
def translated(words: str) -> Iterator[None]:
    """An operating system's error in our words: BackendUnavailable."""
    try:
        yield
    except OSError as error:
        raise BackendUnavailable(f"{words}: {error.strerror or error}") from error
