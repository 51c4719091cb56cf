"""Blobs on their way from a source to a target: skipped, mounted or carried."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import aclosing, contextmanager

from artifactstore.errors import BlobUnknown, DigestInvalid, ManifestInvalid, SizeInvalid
from artifactstore.transfer.report import Progress, Report
from artifactstore.transfer.spi import Chunks, Content, Source, Target


class Carrier:
    """Brings blobs, one call each, and counts them in a report."""

    def __init__(self, source: Source, target: Target, report: Report, progress: Progress) -> None:
        self._source = source
        self._target = target
        self._report = report
        self._progress = progress

    async def bring(self, content: Content, required: bool) -> None:
        """Let the target have a blob. Raises BlobUnknown for one that is required and not to be had."""
        if await self._target.has_blob(content):
            self._report.blobs_skipped += 1
            left = content.size
        elif await self._target.mount(content, self._mountable()):
            self._report.blobs_mounted += 1
            left = content.size
        else:
            left = await self._carry(content, required)
        self._progress.done(left)

    async def _carry(self, content: Content, required: bool) -> int:
        """Bring the bytes of a blob, if it is to be had or required; how many did not come is the answer."""
        came, counting = 0, True

        def now_at(offset: int) -> None:
            nonlocal came
            if counting:  # a target may read the blob later once more, when its own turn to write has come
                self._progress.moved(offset - came)
                came = offset

        async def chunks(offset: int) -> Chunks:
            now_at(offset)
            async with aclosing(self._source.blob(content, offset)) as source:
                async for chunk in source:
                    yield chunk
                    offset += len(chunk)
                    now_at(offset)

        try:
            with located(self._source, content):
                await self._target.push_blob(content, chunks)
        except BlobUnknown:
            if required:
                raise
        else:
            self._report.blobs_copied += 1
            self._report.bytes_copied += content.size
        counting = False
        return content.size - came

    def _mountable(self) -> str | None:
        """The repository that the target may mount from by name."""
        return self._source.repository if self._source.place == self._target.place else None


@contextmanager
def located(source: Source, content: Content) -> Iterator[None]:
    """What is wrong with content is said with the place where it lies."""
    try:
        yield
    except (DigestInvalid, SizeInvalid, ManifestInvalid) as error:
        raise type(error)(f"{source.where(content)}: {error.message}", detail=error.detail) from error
