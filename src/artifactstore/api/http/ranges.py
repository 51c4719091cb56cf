"""Ranges: which bytes of a blob are asked for (RFC 9110, 14), and where a chunk of an upload belongs. No I/O."""

from __future__ import annotations

import re
from typing import NamedTuple

from artifactstore.errors import RangeInvalid

_UNIT = re.compile(r"bytes=", re.IGNORECASE)
_RANGE = re.compile(r"[ \t]*(?:([0-9]{1,18})-([0-9]{0,18})|-([0-9]{1,18}))[ \t]*")
_CHUNK = re.compile(r"([0-9]{1,18})-([0-9]{1,18})")


SPANS_MAX = 1024
"""So many ranges podman asks for at once, when it pulls the changed chunks of a zstd:chunked layer."""


class Span(NamedTuple):
    """`length` bytes from `offset` on."""

    offset: int
    length: int

    @property
    def last(self) -> int:
        """The offset of the last byte; one before the first of an empty span."""
        return self.offset + self.length - 1

    def content_range(self, size: int) -> bytes:
        """The Content-Range of this part of `size` bytes."""
        return b"bytes %d-%d/%d" % (self.offset, self.last, size)


def blob_spans(asked: str | None, condition: str | None, etag: str, size: int) -> tuple[Span, ...]:
    """The spans that a Range header asks of `size` bytes, in its order; none: all of them.

    An end beyond the last byte is clamped, and of several ranges those that hold no byte are left out. What is no range
    of bytes is ignored (RFC 9110, 14.2), and so are ranges whose If-Range (`condition`) names other content, more than
    SPANS_MAX of them, and such as together ask for more than there is (14.2: they overlap).
    Raises RangeInvalid when no byte of them exists, also for a range that ends before it begins: the RFC would ignore
    that, distribution clients expect 416.
    """
    if asked is None or (condition is not None and condition.strip() != etag):
        return ()
    unit = _UNIT.match(asked)
    texts = asked[unit.end() :].split(",", SPANS_MAX) if unit else []
    found = [_RANGE.fullmatch(text) for text in texts]
    if not found or len(found) > SPANS_MAX or None in found:
        return ()
    spans = tuple(span for match in found if match and (span := _span(match, size)).length > 0)
    if not spans:
        raise RangeInvalid("no byte of that range exists", size=size)
    return spans if sum(span.length for span in spans) <= size else ()


def blob_span(asked: str | None, condition: str | None, etag: str, size: int) -> Span | None:
    """The same where one span at most is served; None: everything."""
    spans = blob_spans(asked, condition, etag, size)
    return spans[0] if len(spans) == 1 else None


def _span(found: re.Match[str], size: int) -> Span:
    """`<first>-<last>`, `<first>-` or `-<suffix>` of `size` bytes."""
    first, last, suffix = found.groups()
    if suffix is not None:
        length = min(size, int(suffix))
        return Span(size - length, length)
    end = min(size, int(last) + 1) if last else size
    return Span(int(first), end - int(first))


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
