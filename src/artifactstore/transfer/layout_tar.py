"""A layout in a tar archive. It is never unpacked: read where it lies, and written in one pass."""

from __future__ import annotations

import asyncio
import os
import tarfile
from collections.abc import Callable
from contextlib import aclosing, suppress
from pathlib import Path, PurePosixPath
from tempfile import TemporaryFile
from typing import IO, BinaryIO, ClassVar, Self

from artifactstore.errors import BackendUnavailable, ManifestInvalid, ParameterInvalid, SizeExceeded
from artifactstore.identity.digest import Digest
from artifactstore.storage.files import OsFiles
from artifactstore.transfer.layout import FILES_MAX, INDEX, MARK, MARK_BYTES, LayoutIndex, blob_path
from artifactstore.transfer.layout_directory import CHUNK_BYTES, translated, whole_file
from artifactstore.transfer.spi import Chunks, Content, Opening
from artifactstore.transfer.verifying import verified

HEADER_SIZE_MAX = 1 << 20
HEADERS_SIZE_MAX = 4 << 20
"""A header that describes the next one (a long name, pax fields) is read into memory, and so are all that come before
one file, with those that describe every file: together not more than this."""
OTHERS = frozenset({INDEX, MARK, "manifest.json"})
"""The files of a layout beside its blobs, and the one that tells a Docker archive."""
COMPRESSIONS = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bzip2", b"\xfd7zXZ": "xz"}


DESCRIBING = frozenset(
    (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)
)


class _Header(tarfile.TarInfo):
    """A header of an archive that a stranger wrote."""

    lasting: ClassVar[int]
    held: ClassVar[int]
    """Bytes of headers that describe all files from here on, and with those that describe the next one."""

    @classmethod
    def of_one_archive(cls) -> type[_Header]:
        """A class for the headers of one archive, which are counted together."""
        return type("_HeaderOfOne", (cls,), {"lasting": 0, "held": 0})

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        header = super().frombuf(buf, encoding, errors)
        describes = header.type in DESCRIBING
        if not 0 <= header.size <= (HEADER_SIZE_MAX if describes else header.size):
            raise ManifestInvalid(f"the archive has an entry of {header.size} bytes, which cannot be")
        cls.lasting += header.size if header.type == tarfile.XGLTYPE else 0
        cls.held = cls.held + header.size if describes else cls.lasting
        if cls.held > HEADERS_SIZE_MAX:
            raise ManifestInvalid(f"the archive has more than {HEADERS_SIZE_MAX} bytes of headers before a file")
        return header


class TarFiles:
    """The files of an archive that can be read anywhere; it is closed with this."""

    def __init__(self, archive: IO[bytes], name: str) -> None:
        self.name = name
        self._archive = archive
        self._places: dict[str, tuple[int, int]] = {}

    @classmethod
    async def open(cls, path: Path) -> TarFiles:
        """The archive in a file. Raises BackendUnavailable, ManifestInvalid."""
        with translated(f"{path} cannot be read"):
            archive = await asyncio.to_thread(path.open, "rb")
        return await cls._scanned(archive, str(path))

    @classmethod
    async def spooled(cls, stream: BinaryIO, name: str) -> TarFiles:
        """An archive that comes as a stream, kept in a file without a name, in the directory for temporary files."""

        def spool() -> IO[bytes]:
            archive = TemporaryFile()  # noqa: SIM115 - closed with the files
            try:
                while chunk := stream.read(CHUNK_BYTES):
                    archive.write(chunk)
                archive.flush()
            except BaseException:
                archive.close()
                raise
            return archive

        with translated(f"{name} cannot be kept while it is read"):
            return await cls._scanned(await asyncio.to_thread(spool), name)

    @classmethod
    async def _scanned(cls, archive: IO[bytes], name: str) -> TarFiles:
        files = cls(archive, name)
        try:
            with translated(f"{name} cannot be read"):
                await asyncio.to_thread(files._scan)
        except BaseException:
            archive.close()
            raise
        return files

    def size(self, path: str) -> int | None:
        place = self._places.get(path)
        return place[1] if place else None

    async def chunks(self, path: str, offset: int = 0) -> Chunks:
        start, size = self._places[path]
        while offset < size:
            with translated(f"{path} in {self.name} cannot be read"):
                length = min(CHUNK_BYTES, size - offset)
                chunk = await asyncio.to_thread(os.pread, self._archive.fileno(), length, start + offset)
            if not chunk:
                raise BackendUnavailable(f"{self.name} became shorter while it was read")
            yield chunk
            offset += len(chunk)

    async def close(self) -> None:
        self._archive.close()

    def _scan(self) -> None:
        """Where each file lies. Raises ManifestInvalid for an archive that nobody should trust, or that is cut off."""
        end = os.fstat(self._archive.fileno()).st_size
        first = os.pread(self._archive.fileno(), 8, 0)
        packed = next((name for magic, name in COMPRESSIONS.items() if first.startswith(magic)), None)
        if packed:
            raise ManifestInvalid(f"{self.name} is compressed with {packed}: uncompress it first")
        try:
            self._archive.seek(0)
            with tarfile.open(fileobj=self._archive, mode="r:", tarinfo=_Header.of_one_archive()) as entries:
                self._places_of(entries, end)
        except (ManifestInvalid, OSError):
            raise
        except Exception as error:  # whatever the parser stumbles over in what a stranger wrote
            raise ManifestInvalid(f"{self.name} is not a tar archive, or a damaged one: {error}") from error

    def _places_of(self, entries: tarfile.TarFile, end: int) -> None:
        reached = 0
        while (entry := entries.next()) is not None:
            if entries.offset <= reached:
                raise ManifestInvalid(f"{self.name} has an entry that leads back: {entry.name[:200]}")
            reached = entries.offset
            entries.members.clear()  # type: ignore[attr-defined]  # every entry would be remembered twice
            self._place(entry, end)

    def _place(self, entry: tarfile.TarInfo, end: int) -> None:
        """Remember where a file of the layout lies; what else is in the archive is nobody's business."""
        path = PurePosixPath(entry.name)
        if path.is_absolute() or ".." in path.parts:
            raise ManifestInvalid(f"{self.name} has an entry that leads out of it: {entry.name[:200]}")
        if not (path.parts[:1] == ("blobs",) or str(path) in OTHERS) or entry.isdir():
            return
        if not entry.isreg() or entry.issparse():
            raise ManifestInvalid(f"{self.name} has an entry that is no plain file: {entry.name[:200]}")
        if entry.offset_data + entry.size > end:
            raise ManifestInvalid(f"{self.name} ends in the middle of {entry.name[:200]}")
        if str(path) in self._places:
            raise ManifestInvalid(f"{self.name} has {entry.name[:200]} twice")
        if len(self._places) == FILES_MAX:
            raise ManifestInvalid(f"{self.name} has more than {FILES_MAX} files")
        self._places[str(path)] = (entry.offset_data, entry.size)


class TarKeeper:
    """Writes an archive: the same content gives the same bytes. Blobs are read when their turn comes, never kept.

    Entries are sorted by path, have no time and no owner. Nothing is written before everything that a manifest needs is
    known to be there, and a file gets its name when it is complete. `on_written` hears of blobs' bytes: done, all.
    """

    def __init__(self, out: BinaryIO | Path, on_written: Callable[[int, int], None] = lambda done, total: None) -> None:
        self.name = str(out) if isinstance(out, Path) else "the archive"
        self._out = out
        self._on_written = on_written
        self._small: dict[str, bytes] = {MARK: MARK_BYTES}
        self._blobs: dict[str, tuple[Content, Opening]] = {}

    async def open(self) -> LayoutIndex:
        """An archive is always a new one. Raises ParameterInvalid where there can be no file."""
        if isinstance(self._out, Path) and (self._out.is_dir() or not self._out.absolute().parent.is_dir()):
            raise ParameterInvalid(f"{self._out} cannot be a file: it is a directory, or there is none for it")
        return LayoutIndex()

    async def has(self, content: Content) -> bool:
        return blob_path(content.digest) in self._blobs

    async def put(self, content: Content, opening: Opening) -> None:
        """Look whether the blob can be read; it is, when its turn comes."""
        async with aclosing(opening(0)) as chunks:
            async for _ in chunks:
                break
        self._blobs[blob_path(content.digest)] = (content, opening)

    async def put_bytes(self, digest: Digest, body: bytes) -> None:
        self._small[blob_path(digest)] = body

    async def finish(self, index: bytes) -> None:
        self._small[INDEX] = index
        if len(self._small) + len(self._blobs) > FILES_MAX:
            raise SizeExceeded(f"the archive would have more than {FILES_MAX} files: export less at a time")
        with translated(f"{self.name} cannot be written"):
            if not isinstance(self._out, Path):
                await self._write(self._out)
                return
            with whole_file(self._out) as file:
                await self._write(file)
            with suppress(PermissionError):  # a directory that is not ours to open is not ours to sync
                await asyncio.to_thread(OsFiles().sync_directory, str(self._out.absolute().parent))

    async def abort(self) -> None:
        """Nothing was written."""

    async def _write(self, out: IO[bytes]) -> None:
        total = sum(content.size for content, _ in self._blobs.values())
        done = 0
        for path in sorted(self._small.keys() | self._blobs.keys()):
            if path in self._small:
                body = self._small[path]
                await asyncio.to_thread(out.write, _header(path, len(body)) + body + _padding(len(body)))
                continue
            content, opening = self._blobs[path]
            await asyncio.to_thread(out.write, _header(path, content.size))
            async for chunk in verified(content, opening):
                await asyncio.to_thread(out.write, chunk)
                done += len(chunk)
                self._on_written(done, total)
            await asyncio.to_thread(out.write, _padding(content.size))
        await asyncio.to_thread(out.write, bytes(2 * tarfile.BLOCKSIZE))
        await asyncio.to_thread(out.flush)


def _header(path: str, size: int) -> bytes:
    entry = tarfile.TarInfo(path)
    entry.size = size
    entry.mode = 0o644
    return entry.tobuf(tarfile.PAX_FORMAT)


def _padding(size: int) -> bytes:
    return bytes(-size % tarfile.BLOCKSIZE)
