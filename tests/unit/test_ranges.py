"""Ranges of blobs and places of chunks, as clients write them."""

from __future__ import annotations

import pytest

from artifactstore.api.http import ranges
from artifactstore.errors import RangeInvalid

ETAG = '"sha256:abc"'
SPANS = [
    ("bytes=0-0", (0, 1)),
    ("bytes=500-1499", (500, 1000)),
    ("bytes=500-", (500, 1548)),
    ("bytes=-500", (1548, 500)),
    ("bytes=-5000", (0, 2048)),
    ("bytes=2000-5000", (2000, 48)),
    ("bytes=2047-2047", (2047, 1)),
    ("bytes= 1-2", (1, 2)),
    ("BYTES=1-2 ", (1, 2)),
]
REFUSED = ["bytes=500-0", "bytes=5000-10000", "bytes=2048-", "bytes=-0"]
IGNORED = [
    "bytes=0-1,4-5,x",
    "bytes=0-1,,4-5",
    "bytes=0-,0-",
    "bytes=" + ",".join(["0-0"] * 1025),
    "bytes=-",
    "bytes=a-b",
    "bytes 0-1",
    "bytes=1--2",
    "bytes=١-٢",
    "bytes=" + "9" * 30 + "-",
    "items=0-5",
    "",
]
CHUNKS = [("0-0", (0, 1)), ("0-1023", (0, 1024)), (" 1024-2047 ", (1024, 1024))]
NO_CHUNKS = ["bytes 0-9/10", "0-9/10", "9-0", "-9", "9-", "0–9", "0-9\n1", "", "0x0-0x9"]


@pytest.mark.parametrize(("asked", "span"), SPANS)
def test_a_single_range_names_its_bytes(asked: str, span: tuple[int, int]) -> None:
    """A satisfiable range is offset and length, its end clamped to the last byte (RFC 9110, 14.1.2)."""
    assert ranges.blob_span(asked, None, ETAG, 2048) == span


@pytest.mark.parametrize("asked", REFUSED)
def test_a_range_without_bytes_is_refused_with_the_size(asked: str) -> None:
    """A range of which no byte exists, backwards ones included, is refused and tells the blob's size."""
    with pytest.raises(RangeInvalid) as refusal:
        ranges.blob_span(asked, None, ETAG, 2048)
    assert refusal.value.size == 2048


def test_no_range_of_an_empty_blob_exists() -> None:
    """An empty blob has no byte that a range could name."""
    for asked in ("bytes=0-", "bytes=0-0", "bytes=-1"):
        with pytest.raises(RangeInvalid):
            ranges.blob_span(asked, None, ETAG, 0)


def test_several_ranges_keep_their_order() -> None:
    """They come as they were asked for, adjacent ones too; those without a byte are left out."""
    spans = [(500, 10), (0, 1), (1, 1), (2040, 8), (2038, 10)]
    assert list(ranges.blob_spans("bytes=500-509, 0-0,1-1,2040-9000,5000-,-10,9-5", None, ETAG, 2048)) == spans
    assert len(ranges.blob_spans("bytes=" + ",".join(["0-0"] * 1024), None, ETAG, 2048)) == 1024
    with pytest.raises(RangeInvalid):
        ranges.blob_spans("bytes=5000-,9-5", None, ETAG, 2048)


@pytest.mark.parametrize("asked", IGNORED)
def test_what_is_no_byte_range_is_ignored(asked: str) -> None:
    """Other units, several ranges and garbage ask for the whole (RFC 9110, 14.2)."""
    assert ranges.blob_span(asked, None, ETAG, 2048) is None


def test_without_a_range_the_whole_is_asked_for() -> None:
    """No Range header, no span, whatever If-Range says."""
    assert ranges.blob_span(None, None, ETAG, 2048) is None
    assert ranges.blob_span(None, ETAG, ETAG, 2048) is None


def test_if_range_decides_by_the_entity_tag() -> None:
    """If-Range with the blob's own tag keeps the range; any other tag, a weak one or a date drops it."""
    assert ranges.blob_span("bytes=0-9", ETAG, ETAG, 2048) == (0, 10)
    for condition in ('"sha256:def"', f"W/{ETAG}", "Sat, 21 Nov 2026 03:29:00 GMT"):
        assert ranges.blob_span("bytes=5000-", condition, ETAG, 2048) is None


@pytest.mark.parametrize(("text", "span"), CHUNKS)
def test_a_chunk_says_where_it_belongs(text: str, span: tuple[int, int]) -> None:
    """The Content-Range of an upload is `<first>-<last>`, both inclusive (end-5)."""
    assert ranges.chunk_span(text) == span


@pytest.mark.parametrize("text", NO_CHUNKS)
def test_what_is_no_content_range_of_an_upload_is_none(text: str) -> None:
    """The forms of RFC 9110, backwards ranges and garbage place no chunk."""
    assert ranges.chunk_span(text) is None


@pytest.mark.parametrize(("size", "shown"), [(0, b"0-0"), (1, b"0-0"), (1024, b"0-1023")])
def test_an_upload_shows_its_last_byte(size: int, shown: bytes) -> None:
    """The Range of an upload ends at its last byte; that of an empty one is `0-0` by custom."""
    assert ranges.upload_range(size) == shown
