"""What is done with every data set, step by step: push, list, head, pull, refer, delete."""

from __future__ import annotations

from itertools import cycle

from conformance.oci.own import expect, uploads
from conformance.oci.own.check import Failed, Group
from conformance.oci.own.datasets import DATASETS, graph_of
from conformance.oci.own.graphs import Draft, Graph, Json, Manifest
from conformance.oci.own.registry import Registry, Repository, with_query
from conformance.oci.own.wire import Reply


def where(registry: Registry, name: str) -> Repository:
    """The repository of a data set."""
    return registry.repository(f"data/{name.lower().replace(' ', '-')}")


def push_blobs(registry: Registry, name: str) -> None:
    """Every blob is taken, the ways to push taking turns (end-4b, end-6)."""
    repository = where(registry, name)
    for blob, way in zip(graph_of(registry, name).blobs, cycle(uploads.ROTATION), strict=False):
        found = expect.pushed(way(repository, blob), blob.digest)
        expect.content(registry.ask("GET", found), blob.data, blob.digest)


def push_by_digest(registry: Registry, name: str) -> None:
    """Every manifest is taken by its digest, in chunked coding, children first; the subject is told (end-7a)."""
    for manifest in graph_of(registry, name).manifests:
        reply = where(registry, name).put_manifest(manifest.digest, manifest.body, manifest.media_type, chunked=True)
        taken(registry, reply, manifest)


def push_by_tag(registry: Registry, name: str) -> None:
    """Every tag is set by a push of its own, which tells the subject too (end-7a)."""
    for tag, manifest in graph_of(registry, name).tagged.items():
        reply = where(registry, name).put_manifest(tag, manifest.body, manifest.media_type, chunked=True)
        taken(registry, reply, manifest)


def push_with_tags(registry: Registry, name: str) -> None:
    """A push by digest sets every tag that it names, and says so with OCI-Tag (end-7b)."""
    for manifest in graph_of(registry, name).manifests:
        reply = where(registry, name).put_manifest(
            manifest.digest, manifest.body, manifest.media_type, manifest.tags, chunked=True
        )
        taken(registry, reply, manifest)
        told = [tag.strip() for line in reply.lines("oci-tag") for tag in line.split(",")]
        expect.same(sorted(told), sorted(manifest.tags), reply)


def taken(registry: Registry, reply: Reply, manifest: Manifest) -> None:
    """201, and the Location gives the manifest as it was pushed."""
    found = expect.pushed(reply, manifest.digest)
    if manifest.subject is not None:
        expect.header(reply, "oci-subject", manifest.subject)
    else:
        expect.demand(reply.header("oci-subject") is None, reply, "wanted no OCI-Subject")
    expect.content(registry.ask("GET", found), manifest.body, manifest.digest, manifest.media_type)


def list_tags(registry: Registry, name: str) -> None:
    """The list has every tag; `last` without `n` gives all that follow it at once (end-8a, end-8b)."""
    path = f"{where(registry, name).at}/tags/list"
    reply = registry.ask("GET", path)
    listed = expect.ordered_tags(reply)
    expect.same(sorted(listed), sorted(graph_of(registry, name).tagged), reply)
    for place in range(len(listed) // 2, len(listed)):
        reply = registry.ask("GET", with_query(path, {"last": listed[place]}))
        expect.same(expect.tags(reply), listed[place + 1 :], reply)


def references(graph: Graph) -> list[tuple[str, Manifest]]:
    """Every digest and every tag, with the manifest it leads to."""
    return [(manifest.digest, manifest) for manifest in graph.manifests] + list(graph.tagged.items())


def head(registry: Registry, name: str) -> None:
    """HEAD of every tag, digest and blob has type, length and the digest it was pushed under (end-2, end-3)."""
    repository, graph = where(registry, name), graph_of(registry, name)
    for reference, manifest in references(graph):
        reply = repository.head(f"manifests/{reference}")
        expect.bodiless(reply, len(manifest.body), manifest.digest, manifest.media_type)
    for blob in graph.blobs:
        expect.bodiless(repository.head(f"blobs/{blob.digest}"), len(blob.data), blob.digest)


def pull(registry: Registry, name: str) -> None:
    """GET of every tag, digest and blob has the same headers, and the bytes as they were pushed (end-2, end-3)."""
    repository, graph = where(registry, name), graph_of(registry, name)
    for reference, manifest in references(graph):
        reply = repository.get(f"manifests/{reference}")
        expect.content(reply, manifest.body, manifest.digest, manifest.media_type)
    for blob in graph.blobs:
        expect.blob_there(repository, blob)


def referrers(registry: Registry, name: str) -> None:
    """The referrers of every digest are listed, each once and as it describes itself, with nothing added (end-12a)."""
    graph = graph_of(registry, name)
    for subject in graph.subjects:
        reply = where(registry, name).get(f"referrers/{subject}")
        wanted = [manifest.as_referrer for manifest in graph.referrers(subject)]
        expect.same(by_digest(expect.index(reply)), by_digest(wanted), reply)
        expect.demand(reply.header("oci-filters-applied") is None, reply, "wanted no OCI-Filters-Applied")


def filtered_referrers(registry: Registry, name: str) -> None:
    """`artifactType` leaves the referrers of that type alone, and OCI-Filters-Applied says so (end-12b)."""
    graph = graph_of(registry, name)
    for subject in graph.subjects:
        found = graph.referrers(subject)
        for kind in {manifest.artifact_type or "" for manifest in found} - {""} | {"application/x.own.none"}:
            reply = where(registry, name).get(f"referrers/{subject}?artifactType={kind.replace('+', '%2B')}")
            wanted = [manifest.as_referrer for manifest in found if manifest.artifact_type == kind]
            expect.same(by_digest(expect.index(reply)), by_digest(wanted), reply)
            expect.header(reply, "oci-filters-applied", "artifactType")


def by_digest(descriptors: list[Json]) -> list[Json]:
    """Descriptors in one order, since the order of referrers is free; an empty map of annotations says nothing."""
    told = [{name: value for name, value in found.items() if value != {}} for found in descriptors]
    return sorted(told, key=lambda descriptor: str(descriptor["digest"]))


def delete_tags(registry: Registry, name: str) -> None:
    """DELETE of a tag is 202 and takes the tag away at once, not its manifest (end-9)."""
    repository = where(registry, name)
    for tag, manifest in graph_of(registry, name).tagged.items():
        expect.offered(repository.delete(f"manifests/{tag}"), 202, 400, 405)
        expect.gone(repository, f"manifests/{tag}")
        expect.status(repository.head(f"manifests/{manifest.digest}"), 200)


def delete_manifests(registry: Registry, name: str) -> None:
    """DELETE of a manifest, parents first, is 202; it is gone at once, from the list of referrers too (end-9)."""
    repository = where(registry, name)
    for manifest in reversed(graph_of(registry, name).manifests):
        expect.offered(repository.delete(f"manifests/{manifest.digest}"), 202, 400, 405)
        expect.gone(repository, f"manifests/{manifest.digest}")
        if manifest.subject is not None:
            reply = repository.get(f"referrers/{manifest.subject}")
            left = [descriptor["digest"] for descriptor in expect.index(reply)]
            expect.demand(manifest.digest not in left, reply, "wanted a deleted referrer to be gone")


def delete_blobs(registry: Registry, name: str) -> None:
    """DELETE of a blob is 202, and it is gone at once (end-10)."""
    repository = where(registry, name)
    for blob in graph_of(registry, name).blobs:
        expect.offered(repository.delete(f"blobs/{blob.digest}"), 202, 405)
        expect.gone(repository, f"blobs/{blob.digest}")


STEPS = (push_blobs, push_by_digest, push_by_tag, list_tags, head, pull, referrers, filtered_referrers)
PARAMETER_STEPS = (push_blobs, push_with_tags, list_tags, head, pull, referrers, filtered_referrers)
DELETIONS = (delete_tags, delete_manifests, delete_blobs)
UNTAGGED = (push_by_tag, list_tags, delete_tags)


def group_of(name: str) -> Group:
    """The steps of one data set; those about tags only where it has any."""
    dataset, group = DATASETS[name], Group(name)
    for step in (*(PARAMETER_STEPS if dataset.by_parameters else STEPS), *DELETIONS):
        if dataset.tagged or step not in UNTAGGED:
            group.add(step.__name__.replace("_", " "), step, name)
    return group


GROUPS = tuple(group_of(name) for name in DATASETS)
BAD_DIGEST = Group("bad digest image")


@BAD_DIGEST.check
def push(registry: Registry) -> None:
    """A manifest with two more spaces at its end is not what its digest names: 400, and nothing is stored (end-7a)."""
    repository, draft = registry.repository("data/bad-digest-image"), Draft(registry, "bad digest image")
    draft.image()
    graph = draft.graph()
    uploads.bring(repository, *graph.blobs)
    for manifest in graph.manifests:
        reply = repository.put_manifest(manifest.digest, manifest.body + b"  ", manifest.media_type, chunked=True)
        expect.status(reply, 400)
        expect.gone(repository, f"manifests/{manifest.digest}")
    if expect.status(repository.get("tags/list"), 200, 404).status == 200:
        raise_if_any(expect.tags(repository.get("tags/list")))


def raise_if_any(tags: list[str]) -> None:
    """No tag came of it."""
    if tags:
        raise Failed(f"a refused manifest left tags: {tags}")
