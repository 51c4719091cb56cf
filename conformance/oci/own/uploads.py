"""Every way to bring a blob: each function returns the answer that should say 201."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial

from conformance.oci.own import expect
from conformance.oci.own.registry import OCTETS, Blob, Repository, with_query
from conformance.oci.own.wire import Reply

Way = Callable[[Repository, Blob], Reply]
_UPLOADED = re.compile(r"0-(\d+)")


def start(repository: Repository, **query: str) -> str:
    """Open an upload (end-4a); its address."""
    reply = repository.post("blobs/uploads/", query=query)
    return expect.location(expect.status(reply, 202))


def close(repository: Repository, upload: str, digest: str, data: bytes = b"", **more: str | bool) -> Reply:
    """Close an upload (end-6), perhaps with a last chunk."""
    headers = {"Content-Type": OCTETS}
    if isinstance(place := more.get("place"), str):
        headers["Content-Range"] = place
    target = with_query(upload, {"digest": digest})
    return repository.registry.ask("PUT", target, data, headers, chunked=more.get("chunked") is True)


def patch(repository: Repository, upload: str, data: bytes, place: str | None = None) -> Reply:
    """Send a chunk (end-5): with its place, or, without one, as a stream of unknown length."""
    headers = {"Content-Type": OCTETS} | ({"Content-Range": place} if place is not None else {})
    return repository.registry.ask("PATCH", upload, data, headers, chunked=place is None)


def place_of(first: int, data: bytes) -> str:
    """The Content-Range of a chunk (end-5)."""
    return f"{first}-{first + len(data) - 1}"


def in_one_post(repository: Repository, blob: Blob) -> Reply:
    """POST with a digest (end-4b)."""
    reply = repository.post("blobs/uploads/", blob.data, {"digest": blob.digest})
    return expect.offered(reply, 201, 202) if reply.status == 202 else reply


def post_then_put(repository: Repository, blob: Blob, *, chunked: bool = False) -> Reply:
    """POST, then everything with the PUT (end-4a, end-6)."""
    return close(repository, start(repository), blob.digest, blob.data, chunked=chunked)


def as_stream(repository: Repository, blob: Blob) -> Reply:
    """One PATCH of unknown length, then the PUT (end-5, end-6)."""
    reply = expect.status(patch(repository, start(repository), blob.data), 202)
    return close(repository, expect.location(reply), blob.digest)


def in_one_chunk(repository: Repository, blob: Blob) -> Reply:
    """One PATCH with its place, then the PUT (end-5, end-6)."""
    return in_chunks(repository, blob, size=max(1, len(blob.data)))


def in_chunks(
    repository: Repository, blob: Blob, *, size: int = 0, put_last: bool = False, misplaced: bool = False
) -> Reply:
    """PATCHes in order, the last chunk by PATCH or with the PUT; if so, a chunk out of place before each of them."""
    size = size or repository.registry.chunk_size
    upload = start(repository)
    starts = range(0, len(blob.data), size)
    for first in starts:
        chunk, is_last = blob.data[first : first + size], first == starts[-1]
        if misplaced:
            misplace(repository, upload, blob, first, 0 if is_last else first + size, by_put=put_last)
        if is_last and put_last:
            return close(repository, upload, blob.digest, chunk, place=place_of(first, chunk))
        reply = expect.status(patch(repository, upload, chunk, place_of(first, chunk)), 202)
        upload = expect.location(reply)
    return close(repository, upload, blob.digest)


def misplace(repository: Repository, upload: str, blob: Blob, held: int, wrong: int, *, by_put: bool) -> None:
    """A chunk where the upload does not stand is 416, and the same URL still says how far it is (end-5, 6, 13)."""
    chunk = blob.data[wrong : wrong + repository.registry.chunk_size]
    if by_put:
        reply = close(repository, upload, blob.digest, chunk, place=place_of(wrong, chunk))
    else:
        reply = patch(repository, upload, chunk, place_of(wrong, chunk))
    expect.status(reply, 416)
    stands(repository, reply.url, held)


def stands(repository: Repository, upload: str, held: int) -> Reply:
    """GET of an upload is 204 with a Location and how far it is; `0-<any>` when it has nothing (end-13)."""
    reply = expect.status(repository.registry.ask("GET", upload), 204)
    expect.location(reply)
    found = _UPLOADED.fullmatch(reply.header("range") or "")
    expect.demand(found is not None, reply, f"wanted Range: 0-<last>, found {reply.header('range')}")
    expect.demand(not held or (found and int(found[1]) == held - 1), reply, f"wanted Range: 0-{held - 1}")
    return reply


def bring(repository: Repository, *blobs: Blob) -> None:
    """Push blobs that a check needs, in the way that every registry has."""
    for blob in blobs:
        expect.status(post_then_put(repository, blob), 201)


def mounted(repository: Repository, blob: Blob, *, named: bool) -> Reply:
    """Mount a blob that another repository was given (end-11): 201, or 202 where that is not offered."""
    source = repository.registry.repository("mount-source")
    bring(source, blob)
    query = {"mount": blob.digest} | ({"from": source.name} if named else {})
    return expect.offered(repository.post("blobs/uploads/", query=query), 201, 202)


def mount_of_nothing(repository: Repository, blob: Blob) -> Reply:
    """A mount of what is nowhere opens an upload instead: 202, and the blob can be brought there (end-11)."""
    query = {"mount": blob.digest, "from": repository.registry.repository("mount-source").name}
    reply = expect.status(repository.post("blobs/uploads/", query=query), 202)
    return close(repository, expect.location(reply), blob.digest, blob.data)


WAYS: Mapping[str, Way] = {
    "post only": in_one_post,
    "post and put": post_then_put,
    "one chunk": in_one_chunk,
    "chunks": in_chunks,
    "chunks, the last with the put": partial(in_chunks, put_last=True),
    "chunks, misplaced ones between": partial(in_chunks, misplaced=True),
    "chunks, misplaced ones by put between": partial(in_chunks, put_last=True, misplaced=True),
    "stream": as_stream,
    "mount": partial(mounted, named=True),
    "anonymous mount": partial(mounted, named=False),
    "mount of nothing": mount_of_nothing,
}
ROTATION: tuple[Way, ...] = (in_one_post, post_then_put, in_chunks, as_stream)
"""The ways in which the blobs of data sets take turns."""
