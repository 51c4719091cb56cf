"""Deletion beyond its answer: what goes with it, and what must stay."""

from __future__ import annotations

from conformance.oci.own import expect, samples, uploads
from conformance.oci.own.check import Group
from conformance.oci.own.registry import INDEX, MANIFEST, Blob, Registry, Repository

DELETIONS = Group("deletions")


def delete_manifest(repository: Repository, reference: str) -> None:
    """202, or the registry offers no deletion."""
    expect.offered(repository.delete(f"manifests/{reference}"), 202, 400, 405)


def delete_blob(repository: Repository, blob: Blob) -> None:
    """202, or the registry offers no deletion."""
    expect.offered(repository.delete(f"blobs/{blob.digest}"), 202, 405)


@DELETIONS.check
def tag_alone(registry: Registry) -> None:
    """A tag goes alone: its manifest stays, and so do the tags beside it (end-9)."""
    repository, body = samples.stocked(registry, "deletions/tag"), samples.image()
    for tag in ("one", "two"):
        samples.put(repository, tag, body)
    delete_manifest(repository, "one")
    expect.gone(repository, "manifests/one")
    for reference in ("two", Blob(body).digest):
        expect.content(repository.get(f"manifests/{reference}"), body, Blob(body).digest, MANIFEST)
    reply = repository.get("tags/list")
    expect.same(expect.tags(reply), ["two"], reply)


@DELETIONS.check
def manifest_with_its_tags(registry: Registry) -> None:
    """A manifest that is deleted by digest takes every tag of its along, and no other (end-9)."""
    repository, body = samples.stocked(registry, "deletions/manifest"), samples.image()
    other = samples.image(annotations={"other": "one"})
    for tag in ("one", "two", "three"):
        samples.put(repository, tag, body)
    samples.put(repository, "other", other)
    delete_manifest(repository, Blob(body).digest)
    expect.gone(repository, f"manifests/{Blob(body).digest}", "manifests/one", "manifests/two", "manifests/three")
    reply = repository.get("tags/list")
    expect.same(expect.tags(reply), ["other"], reply)


@DELETIONS.check
def index_without_its_members(registry: Registry) -> None:
    """An index is deleted without the manifests that it lists (end-9)."""
    repository, inner = samples.stocked(registry, "deletions/index"), samples.image()
    samples.put(repository, Blob(inner).digest, inner)
    outer = samples.put(repository, "index", samples.index(inner), INDEX)
    delete_manifest(repository, outer)
    expect.gone(repository, f"manifests/{outer}", "manifests/index")
    expect.content(repository.get(f"manifests/{Blob(inner).digest}"), inner, Blob(inner).digest, MANIFEST)


@DELETIONS.check
def manifest_of_one_repository(registry: Registry) -> None:
    """A manifest is deleted in one repository, not in another that holds it too (end-9)."""
    body = samples.image()
    one, other = (samples.stocked(registry, f"deletions/{name}-manifest") for name in ("one", "other"))
    for repository in (one, other):
        samples.put(repository, "v1", body)
    delete_manifest(one, Blob(body).digest)
    expect.gone(one, f"manifests/{Blob(body).digest}")
    expect.content(other.get("manifests/v1"), body, Blob(body).digest, MANIFEST)


@DELETIONS.each([("pushed", False), ("mounted", True)])
def blob_of_one_repository(registry: Registry, name: str, mount: bool) -> None:
    """A blob is deleted in one repository, not in another that it was pushed or mounted to (end-10, end-11)."""
    blob = registry.blob(f"deleted {name}", 100)
    one, other = (registry.repository(f"deletions/{part}-blob-{name}") for part in ("one", "other"))
    uploads.bring(one, blob)
    if mount:
        query = {"mount": blob.digest, "from": one.name}
        expect.offered(other.post("blobs/uploads/", query=query), 201, 202)
    else:
        uploads.bring(other, blob)
    delete_blob(one, blob)
    expect.gone(one, f"blobs/{blob.digest}")
    expect.blob_there(other, blob)


@DELETIONS.check
def back_again(registry: Registry) -> None:
    """What was deleted can be pushed again, and is there again (end-4b, end-7a, end-9, end-10)."""
    repository, body = samples.stocked(registry, "deletions/back"), samples.image()
    blob = registry.blob("back again", 100)
    for _ in range(2):
        uploads.bring(repository, blob)
        samples.put(repository, "v1", body)
        delete_manifest(repository, Blob(body).digest)
        delete_blob(repository, blob)
        expect.gone(repository, "manifests/v1", f"blobs/{blob.digest}")
    uploads.bring(repository, blob)
    samples.put(repository, "v1", body)
    expect.blob_there(repository, blob)
    expect.content(repository.get("manifests/v1"), body, Blob(body).digest, MANIFEST)


@DELETIONS.check
def twice(registry: Registry) -> None:
    """What is gone cannot be deleted once more: 404 (end-9, end-10)."""
    repository, body = samples.stocked(registry, "deletions/twice"), samples.image()
    samples.put(repository, "v1", body)
    delete_manifest(repository, Blob(body).digest)
    delete_blob(repository, samples.EMPTY_OBJECT)
    for path in ("manifests/v1", f"manifests/{Blob(body).digest}", f"blobs/{samples.EMPTY_OBJECT.digest}"):
        expect.error(repository.delete(path), (404,))
