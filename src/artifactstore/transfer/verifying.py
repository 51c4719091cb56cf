"""Bytes on their way, counted and hashed, and refused at their end when they are not what was announced."""

from __future__ import annotations

from contextlib import aclosing

from artifactstore.errors import DigestInvalid, SizeInvalid
from artifactstore.identity.digest import HashState, new_hash
from artifactstore.transfer.spi import Chunks, Content, Opening


class Verifier:
    """The running digest of a blob. Bytes that come again, because a transfer goes on from before, count once."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self._state: HashState = new_hash(content.digest.algorithm)
        self._size = 0

    def take(self, chunk: bytes, offset: int) -> None:
        """Count and hash what of `chunk`, which begins at `offset`, is new. Raises SizeInvalid beyond the size.

        No byte may be left out: an offset lies at most where the last chunk ended.
        """
        end = offset + len(chunk)
        if end > self._content.size:
            raise self._wrong_size("more than")
        if end > self._size:
            self._state.update(chunk[self._size - offset :] if offset < self._size else chunk)
            self._size = end

    def finish(self) -> None:
        """Raises SizeInvalid, DigestInvalid unless everything came and is what the digest says."""
        if self._size != self._content.size:
            raise self._wrong_size(f"{self._size} of")
        found = self._state.hexdigest()
        if found != self._content.digest.hex:
            detail = {"expected": str(self._content.digest), "found": f"{self._content.digest.algorithm}:{found}"}
            raise DigestInvalid("the bytes are not those of the digest", detail=detail)

    def _wrong_size(self, words: str) -> SizeInvalid:
        detail = {"digest": str(self._content.digest)}
        return SizeInvalid(f"gave {words} the {self._content.size} bytes that were announced", detail=detail)


async def verified(content: Content, opening: Opening) -> Chunks:
    """A blob from its first byte; its end is reached only if it was what the digest says. Raises as a Verifier does."""
    verifier, offset = Verifier(content), 0
    async with aclosing(opening(0)) as chunks:
        async for chunk in chunks:
            verifier.take(chunk, offset)
            offset += len(chunk)
            yield chunk
    verifier.finish()
