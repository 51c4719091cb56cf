"""Ranges: which bytes of a blob are asked for (RFC 9110, 14), and where a chunk of an upload belongs. No I/O."""

from __future__ import annotations

import re
from typing import NamedTuple

from artifactstore.errors import RangeInvalid

_BYTES = re.compile(r"bytes=[ \t]*(?:([0-9]{1,18})-([0-9]{0,18})|-([0-9]{1,18}))[ \t]*", re.IGNORECASE)
_CHUNK = re.compile(r"([0-9]{1,18})-([0-9]{1,18})")


class Span(NamedTuple):
    """`length` bytes from `offset` on."""

    offset: int
    length: int

    @property
    def last(self) -> int:
        """The offset of the last byte; one before the first of an empty span."""
        return self.offset + self.length - 1


def blob_span(asked: str | None, condition: str | None, etag: str, size: int) -> Span | None:
    """The span that a Range header asks of `size` bytes; None: all of them.

    An end beyond the last byte is clamped. What is no single range of bytes is ignored (RFC 9110, 14.2), and so is a
    range whose If-Range (`condition`) names other content. Raises RangeInvalid when no byte of it exists, also for a
    range that ends before it begins: the RFC would ignore that, distribution clients expect 416.
    """
    if asked is None or (condition is not None and condition.strip() != etag):
        return None
    found = _BYTES.fullmatch(asked)
    if found is None:
        return None
    first, last, suffix = found.groups()
    if suffix is not None:
        span = Span(max(0, size - int(suffix)), min(size, int(suffix)))
    else:
        end = min(size, int(last) + 1) if last else size
        span = Span(int(first), end - int(first))
    if span.length <= 0:
        raise RangeInvalid("no byte of that range exists", size=size)
    return span


def chunk_span(text: str) -> Span | None:
    """Where a chunk belongs: the Content-Range of an upload is `<first>-<last>`; None when it is not one (end-5)."""
    found = _CHUNK.fullmatch(text.strip())
    if found is None:
        return None
    first, last = map(int, found.groups())
    return Span(first, last - first + 1) if last >= first else None


def upload_range(size: int) -> bytes:
    """The Range header of an upload that has `size` bytes: `0-<last>`, `0-0` also for none, which it cannot express."""
    return b"0-%d" % max(0, size - 1)
