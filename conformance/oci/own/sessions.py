"""Uploads beyond the good course: what they survive, whose they are, and when they end."""

from __future__ import annotations

from conformance.oci.own import expect, uploads
from conformance.oci.own.check import Group
from conformance.oci.own.hashing import ALGORITHMS
from conformance.oci.own.registry import Blob, Registry, Repository

SESSIONS = Group("uploads")
UNREADABLE = ("bytes 0-4/5", "bytes=0-4", "0-4/5", "0-4/*", "0", "-4", "0-", "4-0", "a-b")


def where(registry: Registry) -> Repository:
    """The repository of the group."""
    return registry.repository("uploads")


@SESSIONS.check
def new_upload(registry: Registry) -> None:
    """A new upload stands at nothing: 204 with `0-0`, for want of a way to say so (end-13)."""
    reply = uploads.stands(where(registry), uploads.start(where(registry)), 0)
    expect.header(reply, "range", "0-0")


@SESSIONS.each([(text,) for text in UNREADABLE])
def unreadable_place(registry: Registry, text: str) -> None:
    """A Content-Range that is not `<first>-<last>` belongs nowhere: 416 or 400, and the upload goes on (end-5)."""
    repository, upload = where(registry), uploads.start(where(registry))
    expect.error(uploads.patch(repository, upload, b"x" * 5, text), (416, 400))
    expect.status(uploads.close(repository, upload, Blob(b"y").digest, b"y"), 201)


@SESSIONS.check
def misplaced_close(registry: Registry) -> None:
    """The place of a last chunk is looked at before its digest: 416, whatever the digest, and nothing kept (end-6)."""
    repository, blob = where(registry), registry.blob("misplaced close", 20)
    upload = uploads.start(repository)
    for digest in (blob.digest, Blob(b"other").digest):
        expect.error(uploads.close(repository, upload, digest, blob.data, place="5-24"), (416,))
    uploads.stands(repository, upload, 0)
    expect.pushed(uploads.close(repository, upload, blob.digest, blob.data, place="0-19"), blob.digest)


@SESSIONS.check
def streams_in_a_row(registry: Registry) -> None:
    """Streams without a place are appended one to the other (end-5)."""
    repository, blob = where(registry), registry.blob("streams", 3000)
    upload = uploads.start(repository)
    for first in range(0, 3000, 1000):
        reply = expect.status(uploads.patch(repository, upload, blob.data[first : first + 1000]), 202)
        expect.header(reply, "range", f"0-{first + 999}")
        upload = expect.location(reply)
    expect.pushed(uploads.close(repository, upload, blob.digest), blob.digest)


@SESSIONS.check
def upload_of_another_repository(registry: Registry) -> None:
    """An upload belongs to its repository: under another name it is 404, and it goes on unharmed (end-5, 6, 13, 14)."""
    repository, blob = where(registry), registry.blob("another", 20)
    upload = uploads.start(repository)
    foreign = upload.replace(f"{repository.at}/", f"{registry.repository('others').at}/")
    for method in ("GET", "PATCH", "DELETE"):
        expect.error(registry.ask(method, foreign), (404,))
    expect.error(uploads.close(repository, foreign, blob.digest, blob.data), (404,))
    expect.pushed(uploads.close(repository, upload, blob.digest, blob.data), blob.digest)


@SESSIONS.check
def cancelled_upload(registry: Registry) -> None:
    """After its cancellation nothing can be done with an upload (end-14, end-5, end-6)."""
    repository, upload = where(registry), uploads.start(where(registry))
    expect.status(uploads.patch(repository, upload, b"x"), 202)
    expect.status(registry.ask("DELETE", upload), 204)
    for method in ("GET", "PATCH", "DELETE"):
        expect.error(registry.ask(method, upload), (404,))
    expect.error(uploads.close(repository, upload, Blob(b"x").digest), (404,))
    expect.gone(repository, f"blobs/{Blob(b'x').digest}")


@SESSIONS.check
def closed_upload(registry: Registry) -> None:
    """A closed upload is over: no chunk and no other close is taken (end-6)."""
    repository, blob = registry.repository("uploads-closed"), registry.blob("closed", 20)
    upload = uploads.start(repository)
    expect.pushed(uploads.close(repository, upload, blob.digest, blob.data), blob.digest)
    expect.error(uploads.patch(repository, upload, b"more"), (404,))
    expect.error(uploads.close(repository, upload, Blob(b"more").digest, b"more"), (404,))


@SESSIONS.check
def close_without_a_digest(registry: Registry) -> None:
    """A close that names no digest is 400, and the upload can still be closed with one (end-6)."""
    repository, upload = where(registry), uploads.start(where(registry))
    expect.error(registry.ask("PUT", upload, b""), (400,))
    expect.status(uploads.close(repository, upload, Blob(b"z").digest, b"z"), 201)


@SESSIONS.each([(f"{one}, closed by {other}", one, other) for one in ALGORITHMS for other in ALGORITHMS])
def announced_algorithm(registry: Registry, name: str, announced: str, closed: str) -> None:
    """`digest-algorithm` is a hint: the upload may be closed by that algorithm or by another (end-4c, end-6)."""
    repository, blob = where(registry), registry.blob(name, 100, closed)
    upload = uploads.start(repository, **{"digest-algorithm": announced})
    expect.status(uploads.patch(repository, upload, blob.data[:50]), 202)
    expect.pushed(uploads.close(repository, upload, blob.digest, blob.data[50:]), blob.digest)
    expect.blob_there(repository, blob)


@SESSIONS.check
def empty_blob_in_one_post(registry: Registry) -> None:
    """A POST with a digest and no body pushes the empty blob: the digest decides, not the body (end-4b)."""
    repository, blob = where(registry), Blob(b"")
    expect.pushed(uploads.in_one_post(repository, blob), blob.digest)
    expect.blob_there(repository, blob)


@SESSIONS.check
def pushed_again(registry: Registry) -> None:
    """A blob that is there already is taken again, in every way (end-4b, end-6)."""
    repository, blob = where(registry), registry.blob("again", 3 * registry.chunk_size - 5)
    for way in uploads.ROTATION * 2:
        expect.pushed(way(repository, blob), blob.digest)
    expect.blob_there(repository, blob)


@SESSIONS.check
def one_content_by_every_algorithm(registry: Registry) -> None:
    """The same bytes pushed by several algorithms answer to each by the digest that was asked for (end-2)."""
    repository = where(registry)
    for algorithm in ALGORITHMS:
        uploads.bring(repository, registry.blob("aliases", 100, algorithm))
    for algorithm in ALGORITHMS:
        expect.blob_there(repository, registry.blob("aliases", 100, algorithm))


@SESSIONS.each([(word,) for word in ("A", "..", "nowhere", "own-never/was", "")])
def mount_from(registry: Registry, source: str) -> None:
    """A mount from what cannot hold the blob opens an upload, or finds it elsewhere; it is never an error (end-11)."""
    query = {"mount": registry.blob(f"mount from {source}", 20).digest, "from": source}
    reply = expect.status(where(registry).post("blobs/uploads/", query=query), 202)
    expect.location(reply)
