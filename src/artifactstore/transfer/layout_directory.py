"""A layout in a directory, read and written."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

from artifactstore.errors import BackendUnavailable, ManifestInvalid, ParameterInvalid
from artifactstore.identity.digest import Digest
from artifactstore.transfer.layout import INDEX, MARK, MARK_BYTES, LayoutIndex, blob_path
from artifactstore.transfer.layout_source import Layout
from artifactstore.transfer.spi import Chunks, Content, Opening
from artifactstore.transfer.verifying import verified

CHUNK_BYTES = 1 << 20


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
    """Writes a layout into a directory, or adds to the one that is there. A file is whole under its name, or absent."""

    def __init__(self, root: Path) -> None:
        self.name = str(root)
        self._root = root
        self._files = DirectoryFiles(root)

    async def open(self) -> LayoutIndex:
        """Make the directory, or go on with the layout that is there. Raises ManifestInvalid for anything else."""
        if self._root.exists() and not self._root.is_dir():
            raise ParameterInvalid(f"{self.name} is a file: name a directory, or a file that ends in .tar")
        with translated(f"{self.name} cannot be written to"):
            self._root.mkdir(parents=True, exist_ok=True)
            if any(self._root.iterdir()) and self._files.size(MARK) is None:
                raise ManifestInvalid(f"{self.name} has something in it and is no layout")
        if self._files.size(INDEX) is None:
            await self._write(MARK, MARK_BYTES)
            return LayoutIndex()
        return (await Layout.read(self._files)).index

    def has(self, content: Content) -> bool:
        """Whether a file of that name and size is there; it was verified when it was written."""
        return self._files.size(blob_path(content.digest)) == content.size

    async def put(self, content: Content, opening: Opening) -> None:
        """Write a blob and verify it."""
        with self._new(blob_path(content.digest)) as file:
            async for chunk in verified(content, opening):
                await asyncio.to_thread(file.write, chunk)

    async def put_bytes(self, digest: Digest, body: bytes) -> None:
        """Write what is known to have its digest."""
        await self._write(blob_path(digest), body)

    async def finish(self, index: LayoutIndex) -> None:
        """Write the index; from now on the new content is in the layout."""
        await self._write(INDEX, index.to_bytes())

    async def abort(self) -> None:
        """What was written stays: the next export into this directory need not write it again."""

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
    """A file that gets its name when it is written and synced, and vanishes when it is not. Raises OSError."""
    with NamedTemporaryFile(dir=final.absolute().parent, prefix=".", delete=False) as file:
        written = Path(file.name)
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            written.chmod(0o644)
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
