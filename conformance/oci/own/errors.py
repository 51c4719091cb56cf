"""Refusals: their status, their form, and their code from the closed list."""

from __future__ import annotations

from conformance.oci.own import expect, samples, uploads
from conformance.oci.own.check import Group
from conformance.oci.own.registry import MANIFEST, Blob, Registry

ERRORS = Group("errors")
METHODS = Group("methods")
SIZES = Group("sizes")

SIZE_TAKEN = 4 << 20
"""Clients may count on manifests of four million bytes; we count on MiB."""

SIZE_REFUSED = 32 << 20
NO_DIGEST = ("DIGEST_INVALID",)
NO_UPLOAD = ("BLOB_UPLOAD_UNKNOWN",)
MALFORMED = ("MANIFEST_INVALID",)

Row = tuple[str, str, str, bytes, tuple[int, ...], tuple[str, ...]]

ROWS: tuple[Row, ...] = (
    ("unknown tag (end-3)", "GET", "manifests/unknown", b"", (404,), ("MANIFEST_UNKNOWN",)),
    ("unknown manifest (end-3)", "GET", "manifests/{absent}", b"", (404,), ("MANIFEST_UNKNOWN",)),
    ("unknown blob (end-2)", "GET", "blobs/{absent}", b"", (404,), ("BLOB_UNKNOWN",)),
    ("blob by no digest (end-2)", "GET", "blobs/sha256:short", b"", (400, 404), ()),
    ("tag to delete (end-9)", "DELETE", "manifests/unknown", b"", (404,), ("MANIFEST_UNKNOWN",)),
    ("manifest to delete (end-9)", "DELETE", "manifests/{absent}", b"", (404,), ("MANIFEST_UNKNOWN",)),
    ("blob to delete (end-10)", "DELETE", "blobs/{absent}", b"", (404,), ("BLOB_UNKNOWN",)),
    ("malformed digest (end-4b)", "POST", "blobs/uploads/?digest=sha256:short", b"x", (400,), NO_DIGEST),
    ("upper-case digest (end-4b)", "POST", "blobs/uploads/?digest=sha256:{upper}", b"x", (400,), NO_DIGEST),
    ("empty digest (end-4b)", "POST", "blobs/uploads/?digest=", b"x", (400,), NO_DIGEST),
    ("unsupported digest (end-4b)", "POST", "blobs/uploads/?digest=md5:{md5}", b"x", (400,), NO_DIGEST),
    ("unknown algorithm (end-4c)", "POST", "blobs/uploads/?digest-algorithm=md0", b"", (400,), NO_DIGEST),
    ("malformed mount (end-11)", "POST", "blobs/uploads/?mount=sha256:short", b"", (400,), NO_DIGEST),
    ("unlike its digest (end-4b)", "POST", "blobs/uploads/?digest={absent}", b"x", (400,), NO_DIGEST),
    ("chunk to no upload (end-5)", "PATCH", "blobs/uploads/unknown", b"x", (404,), NO_UPLOAD),
    ("close of no upload (end-6)", "PUT", "blobs/uploads/unknown?digest={absent}", b"x", (404,), NO_UPLOAD),
    ("state of no upload (end-13)", "GET", "blobs/uploads/unknown", b"", (404,), NO_UPLOAD),
    ("cancel of no upload (end-14)", "DELETE", "blobs/uploads/unknown", b"", (404,), NO_UPLOAD),
    ("manifest unlike its digest (end-7a)", "PUT", "manifests/{absent}", samples.image(), (400,), NO_DIGEST),
    ("manifest under no digest (end-7a)", "PUT", "manifests/sha256:short", samples.image(), (400,), NO_DIGEST),
    ("manifest that is no JSON (end-7a)", "PUT", "manifests/v1", b"no JSON", (400,), MALFORMED),
    ("manifest under no tag (end-7a)", "PUT", "manifests/.v1", samples.image(), (400, 404), ()),
    ("bad tag parameter (end-7b)", "PUT", "manifests/{image}?tag=.v1", samples.image(), (400,), ()),
    ("tags of a tag (end-7b)", "PUT", "manifests/v1?tag=v2", samples.image(), (400,), ()),
)


@ERRORS.each(ROWS)
def refused(
    registry: Registry,
    name: str,
    method: str,
    path: str,
    body: bytes,
    statuses: tuple[int, ...],
    codes: tuple[str, ...],
) -> None:
    """What cannot be done is refused with its status, in the OCI form, with a listed code (end-2 to end-14)."""
    repository = samples.stocked(registry, "errors")
    words = {
        "absent": registry.blob("errors", 20).digest,
        "image": Blob(samples.image()).digest,
        "upper": "A" * 64,
        "md5": "0" * 32,
    }
    headers = {"Content-Type": MANIFEST} if path.startswith("manifests") else {}
    expect.error(registry.ask(method, f"{repository.at}/{path.format(**words)}", body, headers), statuses, codes)
    if method == "PUT":
        reply = repository.get("tags/list")
        expect.same(expect.tags(reply), [], reply)


@ERRORS.check
def unknown_repository(registry: Registry) -> None:
    """The tag list of a repository that is not there is 404 NAME_UNKNOWN (end-8a)."""
    expect.error(registry.repository("nowhere").get("tags/list"), (404,), ("NAME_UNKNOWN",))


@ERRORS.check
def head_of_what_is_missing(registry: Registry) -> None:
    """HEAD of what is missing is 404 without a body (end-2, end-3)."""
    repository = samples.stocked(registry, "errors")
    for path in ("manifests/unknown", f"blobs/{registry.blob('errors', 20).digest}"):
        reply = expect.status(repository.head(path), 404)
        expect.same(reply.body, b"", reply)


@ERRORS.check
def range_that_holds_nothing(registry: Registry) -> None:
    """416 to a range is in the OCI form, and tells the blob's size (end-2)."""
    repository = samples.stocked(registry, "errors")
    reply = repository.get(f"blobs/{samples.EMPTY_OBJECT.digest}", range="bytes=5-")
    expect.error(reply, (416,))
    expect.header(reply, "content-range", "bytes */2")


@ERRORS.check
def chunk_out_of_place(registry: Registry) -> None:
    """416 to a chunk is in the OCI form, with the Location, and the Range that the upload has (end-5)."""
    repository = registry.repository("errors")
    upload = uploads.start(repository)
    data = registry.blob("errors chunk", registry.chunk_size).data
    expect.status(uploads.patch(repository, upload, data, uploads.place_of(0, data)), 202)
    reply = uploads.patch(repository, upload, data, uploads.place_of(len(data) + 5, data))
    expect.error(reply, (416,))
    expect.location(reply)
    expect.header(reply, "range", f"0-{len(data) - 1}")


@ERRORS.check
def missing_blobs(registry: Registry) -> None:
    """A manifest whose blobs are missing is taken, or refused as MANIFEST_BLOB_UNKNOWN (end-7a)."""
    repository = registry.repository("errors-blobs")
    layer = samples.descriptor(registry.blob("errors layer", 20))
    reply = repository.put_manifest("v1", samples.image(layers=[layer]))
    if reply.status != 201:
        expect.error(reply, (400, 404), ("MANIFEST_BLOB_UNKNOWN",))
        expect.gone(repository, "manifests/v1")


@METHODS.each(
    [
        ("POST tags/list (end-8a)", "tags/list"),
        ("DELETE tags/list (end-8a)", "tags/list"),
        ("POST manifest (end-3)", "manifests/v1"),
        ("PATCH manifest (end-3)", "manifests/v1"),
        ("PUT blob (end-2)", "blobs/{digest}"),
        ("POST blob (end-2)", "blobs/{digest}"),
        ("PATCH blob (end-2)", "blobs/{digest}"),
        ("POST referrers (end-12a)", "referrers/{digest}"),
        ("DELETE referrers (end-12a)", "referrers/{digest}"),
        ("GET uploads (end-4a)", "blobs/uploads/"),
        ("PUT uploads (end-4a)", "blobs/uploads/"),
        ("POST upload (end-5)", "blobs/uploads/any"),
    ]
)
def wrong(registry: Registry, name: str, path: str) -> None:
    """A method that is not there is 405 UNSUPPORTED, Allow naming those that are (RFC 9110, 15.5.6; end-2)."""
    repository, method = samples.stocked(registry, "methods"), name.split()[0]
    target = f"{repository.at}/{path.format(digest=samples.EMPTY_OBJECT.digest)}"
    reply = registry.ask(method, target)
    expect.error(reply, (405,), ("UNSUPPORTED",))
    allowed = {word.strip() for word in (reply.header("allow") or "").split(",")}
    expect.demand(allowed - {"", method} == allowed, reply, f"wanted other methods in Allow, found {allowed}")


def padded(registry: Registry, label: str, size: int) -> bytes:
    """An image manifest of exactly so many bytes."""
    notes = samples.unlike(registry, label)
    short = samples.image(annotations=notes | {"padding": ""})
    return samples.image(annotations=notes | {"padding": "x" * (size - len(short))})


@SIZES.each([("announced", False), ("chunked", True)])
def largest_manifest(registry: Registry, name: str, chunked: bool) -> None:
    """A manifest of 4 MiB is taken (end-7a)."""
    repository, body = samples.stocked(registry, "sizes"), padded(registry, name, SIZE_TAKEN)
    expect.status(repository.put_manifest(name, body, chunked=chunked), 201)
    expect.content(repository.get(f"manifests/{name}"), body, Blob(body).digest, MANIFEST)


@SIZES.each([("announced", False), ("chunked", True)])
def manifest_that_is_too_large(registry: Registry, name: str, chunked: bool) -> None:
    """A manifest of 32 MiB is 413, its length announced or not, and nothing is stored (end-7a)."""
    repository, body = samples.stocked(registry, "sizes"), padded(registry, f"too {name}", SIZE_REFUSED)
    expect.error(repository.put_manifest(f"too-{name}", body, chunked=chunked), (413,))
    expect.gone(repository, f"manifests/too-{name}")


@SIZES.check
def chunk_of_another_length(registry: Registry) -> None:
    """A chunk whose Content-Range and Content-Length differ is refused, and nothing of it kept (end-5)."""
    repository = registry.repository("sizes")
    upload = uploads.start(repository)
    reply = uploads.patch(repository, upload, b"x" * 10, "0-4")
    expect.error(reply, (400, 416))
    expect.status(uploads.close(repository, upload, Blob(b"").digest), 201)
