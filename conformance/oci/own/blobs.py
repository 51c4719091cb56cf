"""Blobs by one algorithm: every way to push one, and everything that can be asked of it afterwards."""

from __future__ import annotations

from conformance.oci.own import expect, uploads
from conformance.oci.own.check import Group
from conformance.oci.own.hashing import ALGORITHMS
from conformance.oci.own.registry import Blob, Registry, Repository
from conformance.oci.own.wire import Reply

SIZE = 2048
RANGES: tuple[tuple[str, tuple[int, int] | None], ...] = (
    ("500-1499", (500, 1499)),
    ("500-", (500, 2047)),
    ("-500", (1548, 2047)),
    ("2000-5000", (2000, 2047)),
    ("500-0", None),
    ("5000-10000", None),
)
"""What is asked of 2048 bytes, and the first and last byte of the answer; None: 416."""

BAD_DIGESTS = {
    "post only": uploads.WAYS["post only"],
    "post and put": uploads.WAYS["post and put"],
    "chunks": uploads.WAYS["chunks"],
    "chunks, the last with the put": uploads.WAYS["chunks, the last with the put"],
    "stream": uploads.WAYS["stream"],
}


class Mislabelled(Blob):
    """Bytes that claim to have the digest of others."""

    @property
    def digest(self) -> str:
        """The digest of other bytes."""
        return Blob(self.data + b"not these", self.algorithm).digest


def where(registry: Registry, algorithm: str) -> Repository:
    """The repository of the group."""
    return registry.repository(f"{algorithm}-blobs")


def blob_of(registry: Registry, algorithm: str, way: str) -> Blob:
    """The blob that is pushed in one way: empty, `{}`, or long enough for three chunks, the last a short one."""
    if way in ("empty", "empty object"):
        return Blob(b"" if way == "empty" else b"{}", algorithm)
    return registry.blob(f"{algorithm} {way}", 3 * registry.chunk_size - 5, algorithm)


def brought(repository: Repository, blob: Blob, way: str) -> Reply:
    """Push it; the special blobs go without a Content-Length."""
    if way in uploads.WAYS:
        return uploads.WAYS[way](repository, blob)
    return uploads.post_then_put(repository, blob, chunked=True)


def get_missing(registry: Registry, algorithm: str) -> None:
    """GET and HEAD of a blob that is not there are 404 (end-2)."""
    path = f"blobs/{registry.blob('missing', 10, algorithm).digest}"
    expect.status(where(registry, algorithm).get(path), 404)
    expect.status(where(registry, algorithm).head(path), 404)


def push(registry: Registry, algorithm: str, way: str) -> None:
    """A push ends in 201 with the digest, and its Location gives the bytes (end-4b, end-6, end-11)."""
    repository, blob = where(registry, algorithm), blob_of(registry, algorithm, way)
    found = expect.pushed(brought(repository, blob, way), blob.digest)
    expect.content(registry.ask("GET", found), blob.data, blob.digest)


def head(registry: Registry, algorithm: str, way: str) -> None:
    """HEAD of the blob is 200 with length and digest, without a body (end-2)."""
    blob = blob_of(registry, algorithm, way)
    expect.bodiless(where(registry, algorithm).head(f"blobs/{blob.digest}"), len(blob.data), blob.digest)


def get(registry: Registry, algorithm: str, way: str) -> None:
    """GET of the blob is 200 with length, digest and the pushed bytes (end-2)."""
    expect.blob_there(where(registry, algorithm), blob_of(registry, algorithm, way))


def delete(registry: Registry, algorithm: str, way: str) -> None:
    """DELETE of the blob is 202, and it is gone at once (end-10)."""
    repository, path = where(registry, algorithm), f"blobs/{blob_of(registry, algorithm, way).digest}"
    expect.offered(repository.delete(path), 202, 405)
    expect.gone(repository, path)


def cancel(registry: Registry, algorithm: str) -> None:
    """DELETE of an upload is 204, and it is unknown then (end-14)."""
    upload = uploads.start(where(registry, algorithm))
    expect.status(registry.ask("DELETE", upload), 204)
    expect.status(registry.ask("GET", upload), 404)


def part(registry: Registry, algorithm: str, asked: str, span: tuple[int, int] | None) -> None:
    """A range is 206 with that part, clamped to the end; one that holds no byte is 416 (end-2)."""
    repository, blob = where(registry, algorithm), registry.blob(f"{algorithm} ranges", SIZE, algorithm)
    uploads.bring(repository, blob)
    reply = repository.get(f"blobs/{blob.digest}", range=f"bytes={asked}")
    if span is None:
        expect.status(reply, 416)
        return
    first, last = span
    expect.offered(reply, 206, 200)
    expect.same(reply.body, blob.data[first : last + 1], reply)
    expect.header(reply, "content-length", str(last - first + 1))
    found = reply.header("content-range")
    expect.demand(found in (f"bytes {first}-{last}/{SIZE}", f"bytes {first}-{last}/*"), reply, f"found {found}")


def wrong_digest(registry: Registry, algorithm: str, way: str) -> None:
    """Bytes that do not have the given digest are 400, and nothing is stored (end-4b, end-6)."""
    repository = where(registry, algorithm)
    data = blob_of(registry, algorithm, f"wrong digest, {way}").data
    blob = Mislabelled(data, algorithm)
    expect.status(BAD_DIGESTS[way](repository, blob), 400)
    expect.gone(repository, f"blobs/{blob.digest}", f"blobs/{Blob(data, algorithm).digest}")


def group_of(algorithm: str) -> Group:
    """The group of one algorithm."""
    group = Group(f"{algorithm} blobs")
    group.add("get missing", get_missing, algorithm)
    for way in (*uploads.WAYS, "empty", "empty object"):
        for step in (push, head, get, delete):
            group.add(f"{way}: {step.__name__}", step, algorithm, way)
    group.add("cancel", cancel, algorithm)
    for asked, span in RANGES:
        group.add(f"range {asked}", part, algorithm, asked, span)
    for way in BAD_DIGESTS:
        group.add(f"wrong digest: {way}", wrong_digest, algorithm, way)
    return group


GROUPS = tuple(group_of(algorithm) for algorithm in ALGORITHMS)
