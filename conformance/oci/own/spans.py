"""Range requests at their edges (RFC 9110, section 14)."""

from __future__ import annotations

from conformance.oci.own import expect, uploads
from conformance.oci.own.check import Group, NotOffered
from conformance.oci.own.registry import Blob, Registry, Repository

SPANS = Group("ranges")
SIZE = 2048
PARTS: tuple[tuple[str, int, int], ...] = (
    ("bytes=0-0", 0, 0),
    ("bytes=0-", 0, 2047),
    ("bytes=0-2047", 0, 2047),
    ("bytes=2047-", 2047, 2047),
    ("bytes=2047-2047", 2047, 2047),
    ("bytes=-1", 2047, 2047),
    ("bytes=-2048", 0, 2047),
    ("bytes=-5000", 0, 2047),
    ("bytes=5-99999999999999", 5, 2047),
)


def stocked(registry: Registry) -> tuple[Repository, Blob]:
    """A repository with a blob of 2048 bytes."""
    repository, blob = registry.repository("ranges"), registry.blob("ranges", SIZE)
    if repository.head(f"blobs/{blob.digest}").status == 404:
        uploads.bring(repository, blob)
    return repository, blob


@SPANS.each(PARTS)
def part(registry: Registry, asked: str, first: int, last: int) -> None:
    """A range is 206 with exactly that part, its place, and the digest of the whole (end-2)."""
    repository, blob = stocked(registry)
    reply = expect.offered(repository.get(f"blobs/{blob.digest}", range=asked), 206, 200)
    expect.same(reply.body, blob.data[first : last + 1], reply)
    expect.header(reply, "content-length", str(last - first + 1))
    expect.header(reply, "content-range", f"bytes {first}-{last}/{SIZE}")
    expect.header(reply, "docker-content-digest", blob.digest)


@SPANS.each([("bytes=2048-",), ("bytes=2048-3000",), ("bytes=-0",), ("bytes=1-0",), ("bytes=9999999999-",)])
def nothing_in(registry: Registry, asked: str) -> None:
    """A range that holds no byte is 416, and says how many there are (end-2)."""
    repository, blob = stocked(registry)
    reply = repository.get(f"blobs/{blob.digest}", range=asked)
    expect.error(reply, (416,))
    expect.header(reply, "content-range", f"bytes */{SIZE}")


@SPANS.each([("items=0-5",), ("bytes",), ("bytes=",), ("bytes=a-b",), ("bytes=--5",), ("bytes=5",), ("0-5",)])
def ignored(registry: Registry, asked: str) -> None:
    """Other units, and what is no range at all, are ignored: the answer is the whole (RFC 9110, 14.2; end-2)."""
    repository, blob = stocked(registry)
    expect.content(repository.get(f"blobs/{blob.digest}", range=asked), blob.data, blob.digest)


@SPANS.check
def several_ranges(registry: Registry) -> None:
    """Several ranges are answered with the whole, or with their parts in one message (end-2)."""
    repository, blob = stocked(registry)
    reply = expect.status(repository.get(f"blobs/{blob.digest}", range="bytes=0-1,5-6"), 200, 206)
    kind = reply.header("content-type") or ""
    whole = reply.status == 200 and reply.body == blob.data
    expect.demand(whole or kind.startswith("multipart/byteranges"), reply, "wanted the whole, or multipart")


@SPANS.check
def head_ignores_range(registry: Registry) -> None:
    """Range means something for GET alone: HEAD tells the whole length (RFC 9110, 14.2; end-2)."""
    repository, blob = stocked(registry)
    expect.bodiless(repository.head(f"blobs/{blob.digest}", range="bytes=0-5"), SIZE, blob.digest)


@SPANS.check
def ranges_are_announced(registry: Registry) -> None:
    """Accept-Ranges says that ranges are served (end-2)."""
    repository, blob = stocked(registry)
    expect.header(repository.head(f"blobs/{blob.digest}"), "accept-ranges", "bytes")


@SPANS.check
def nothing_of_an_empty_blob(registry: Registry) -> None:
    """An empty blob has no byte that a range could hold: 416, or the empty whole (end-2)."""
    repository, blob = registry.repository("ranges"), Blob(b"")
    uploads.bring(repository, blob)
    reply = expect.status(repository.get(f"blobs/{blob.digest}", range="bytes=0-"), 200, 416)
    expect.demand(reply.status == 416 or reply.body == b"", reply, "wanted nothing")


@SPANS.check
def range_of_other_content(registry: Registry) -> None:
    """If-Range with another ETag gives the whole, with the right one the part (RFC 9110, 13.1.5; end-2)."""
    repository, blob = stocked(registry)
    path = f"blobs/{blob.digest}"
    known = repository.head(path).header("etag")
    if known is None:
        raise NotOffered("no ETag")
    expect.content(repository.get(path, range="bytes=0-5", if_range='"another"'), blob.data, blob.digest)
    expect.status(repository.get(path, range="bytes=0-5", if_range=known), 206)
