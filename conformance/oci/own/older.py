"""What the suite before the present one demanded beyond it; results by it are still published."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

from conformance.oci.own import expect, samples, uploads
from conformance.oci.own.check import Group
from conformance.oci.own.registry import EMPTY, MANIFEST, Blob, Registry, with_query

OLDER = Group("older suite")
TAGS = tuple(f"{word}{number}" for word in ("test", "TEST") for number in range(4))


@OLDER.check
def manifest_name_that_is_none(registry: Registry) -> None:
    """GET and HEAD of a manifest by what cannot be a tag are 404, not 400 (end-3)."""
    repository = samples.stocked(registry, "older")
    expect.status(repository.get("manifests/.INVALID_MANIFEST_NAME"), 404)
    expect.status(repository.head("manifests/.INVALID_MANIFEST_NAME"), 404)


@OLDER.check
def digest_that_is_none(registry: Registry) -> None:
    """GET of a manifest by a malformed digest is 400 or 404, with an error of the specification (end-3)."""
    expect.error(samples.stocked(registry, "older").get("manifests/sha256:totallywrong"), (400, 404))


@OLDER.check
def location_of_a_mount(registry: Registry) -> None:
    """A mounted blob's Location is its path in the repository that asked (end-11)."""
    repository, blob = registry.repository("older"), registry.blob("older mount", 100)
    found = expect.location(uploads.mounted(repository, blob, named=True))
    expect.same(urlsplit(found).path, f"{repository.at}/blobs/{blob.digest}", repository.head(f"blobs/{blob.digest}"))


@OLDER.check
def mount_without_a_source(registry: Registry) -> None:
    """A mount of an unknown digest without `from` is 202, with an upload of the same repository (end-11)."""
    repository = registry.repository("older")
    reply = repository.post("blobs/uploads/", query={"mount": registry.blob("older unknown", 100).digest})
    found = urlsplit(expect.location(expect.status(reply, 202))).path
    expect.demand(found.startswith(f"{repository.at}/blobs/uploads/"), reply, "wanted an upload of the repository")


@OLDER.check
def chunk_sent_again(registry: Registry) -> None:
    """PATCH says `0-<last>`; the first chunk sent again to the first Location is 416, where GET is 204 (end-5, 13)."""
    repository, size = registry.repository("older"), registry.chunk_size
    blob = registry.blob("older chunks", 2 * size)
    first = uploads.start(repository)
    place = uploads.place_of(0, blob.data[:size])
    reply = expect.status(uploads.patch(repository, first, blob.data[:size], place), 202)
    expect.header(reply, "range", f"0-{size - 1}")
    expect.status(uploads.patch(repository, first, blob.data[:size], place), 416)
    uploads.stands(repository, first, size)
    rest = blob.data[size:]
    reply = expect.status(uploads.patch(repository, expect.location(reply), rest, uploads.place_of(size, rest)), 202)
    expect.header(reply, "range", f"0-{2 * size - 1}")
    expect.pushed(uploads.close(repository, expect.location(reply), blob.digest), blob.digest)


@OLDER.check
def tag_list(registry: Registry) -> None:
    """Tags are listed in order, `n` gives exactly n, and `last` with it is not among them (end-8a, end-8b)."""
    repository = samples.stocked(registry, "older-tags")
    for tag in TAGS:
        samples.put(repository, tag, samples.image())
    listed = expect.ordered_tags(repository.get("tags/list"))
    reply = repository.get("tags/list?n=4")
    expect.same(expect.tags(reply), listed[:4], reply)
    reply = repository.get(f"tags/list?n=3&last={listed[2]}")
    expect.same(expect.tags(reply), listed[3:6], reply)


@OLDER.check
def five_referrers(registry: Registry) -> None:
    """Five referrers are five entries with the one annotation that each was pushed with (end-12a, end-12b)."""
    repository = samples.stocked(registry, "older-referrers")
    subject = Blob(samples.image(annotations=samples.unlike(registry, "older subject")))
    for number in range(5):
        about = {"subject": samples.descriptor(subject, MANIFEST), "annotations": {"number": str(number)}}
        body = samples.image(artifactType=f"application/x.own.{number % 2}", **about)
        samples.put(repository, Blob(body).digest, body)
    path = f"referrers/{subject.digest}"
    reply = repository.get(path)
    notes = sorted((entry["annotations"] for entry in expect.index(reply)), key=json.dumps)
    expect.same(notes, [{"number": str(number)} for number in range(5)], reply)
    reply = repository.get(with_query(path, {"artifactType": "application/x.own.1"}))
    expect.same(len(expect.index(reply)), 2, reply)
    expect.header(reply, "oci-filters-applied", "artifactType")


@OLDER.check
def last_tag_deleted(registry: Registry) -> None:
    """Without its last tag the list is empty or 404, and the manifest can still be deleted by digest (end-9)."""
    repository = samples.stocked(registry, "older-deletion")
    digest = samples.put(repository, "only", samples.image())
    expect.offered(repository.delete("manifests/only"), 202, 400, 405)
    reply = expect.status(repository.get("tags/list"), 200, 404)
    expect.demand(reply.status == 404 or expect.tags(reply) == [], reply, "wanted no tags")
    expect.status(repository.delete(f"manifests/{digest}"), 202)


@OLDER.check
def blob_deleted_before_its_manifest(registry: Registry) -> None:
    """A blob that a manifest names can be deleted, or that is declined with 405; never is it an error (end-10)."""
    repository = samples.stocked(registry, "older-blob-first")
    samples.put(repository, "v1", samples.image())
    expect.status(repository.delete(f"blobs/{samples.EMPTY_OBJECT.digest}"), 200, 202, 404, 405)


@OLDER.check
def manifest_without_media_type(registry: Registry) -> None:
    """A manifest without `mediaType`, its descriptors with data and unknown fields, is kept as it is (end-7a)."""
    repository = samples.stocked(registry, "older")
    config = samples.descriptor(samples.EMPTY_OBJECT, EMPTY, data="e30=", newField="ignore")
    body = samples.image(mediaType=None, config=config, unknown="field")
    digest = samples.put(repository, "untyped", body)
    expect.content(repository.get("manifests/untyped"), body, digest, MANIFEST)
