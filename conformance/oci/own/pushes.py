"""Manifests beyond the data sets: what is kept as it is, what is refused, and where tags lead."""

from __future__ import annotations

import json

from conformance.oci.own import expect, samples, uploads
from conformance.oci.own.check import Group
from conformance.oci.own.hashing import ALGORITHMS, digest
from conformance.oci.own.registry import EMPTY, INDEX, MANIFEST, Blob, Registry, Repository

PUSHES = Group("manifests")
DOCKER = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DESCRIPTOR = samples.descriptor(samples.EMPTY_OBJECT, EMPTY)

WRITTEN: tuple[tuple[str, bytes], ...] = (
    ("indented, with a newline at its end", json.dumps(json.loads(samples.image()), indent=3).encode() + b"\n"),
    ("names in another order", json.dumps(json.loads(samples.image()), sort_keys=True).encode()),
    ("space around it", b" \r\n\t" + samples.image() + b" \n"),
    ("escapes and letters", samples.image(annotations={"a": "ä\u2028\U0001f600"})),
    ("letters as they are", samples.image(annotations={"a": "?"}).replace(b"?", "ä€😀".encode())),
    ("the same layer twice", samples.image(layers=[DESCRIPTOR, DESCRIPTOR])),
    ("unknown types", samples.image(artifactType="x/y", config=DESCRIPTOR | {"mediaType": "a/b"})),
)
MALFORMED: tuple[tuple[str, bytes], ...] = (
    ("empty", b""),
    ("half", samples.image()[:-1]),
    ("more than one value", samples.image() + b"{}"),
    ("a list", b"[]"),
    ("no UTF-8", samples.image(annotations={"a": "?"}).replace(b"?", b"\xff")),
    ("a name twice", samples.image().replace(b"{", b'{"schemaVersion": 2, ', 1)),
    ("a negative size", samples.image(layers=[DESCRIPTOR | {"size": -1}])),
    ("a size in words", samples.image(layers=[DESCRIPTOR | {"size": "2"}])),
    ("a digest that is none", samples.image(layers=[DESCRIPTOR | {"digest": "sha256"}])),
    ("a descriptor without a digest", samples.image(layers=[{"mediaType": EMPTY, "size": 2}])),
    ("layers that are no list", samples.image(layers={})),
    ("another mediaType than Content-Type", samples.image(mediaType=INDEX)),
)


def where(registry: Registry) -> Repository:
    """The repository of the group, with `{}` in it."""
    return samples.stocked(registry, "manifests")


@PUSHES.each(WRITTEN)
def kept(registry: Registry, name: str, body: bytes) -> None:
    """A manifest is kept byte for byte, however it is written (end-7a, end-3)."""
    repository = where(registry)
    digest = samples.put(repository, "written", body)
    expect.content(repository.get("manifests/written"), body, digest, MANIFEST)
    expect.content(repository.get(f"manifests/{digest}"), body, digest, MANIFEST)


@PUSHES.each(MALFORMED)
def refused(registry: Registry, name: str, body: bytes) -> None:
    """What is no manifest is 400, and nothing is stored, by tag or by digest (end-7a)."""
    repository = where(registry)
    expect.error(repository.put_manifest("malformed", body), (400,), ("MANIFEST_INVALID",))
    expect.error(repository.put_manifest(Blob(body).digest, body), (400,), ("MANIFEST_INVALID",))
    expect.gone(repository, "manifests/malformed", f"manifests/{Blob(body).digest}")


@PUSHES.check
def type_with_parameters(registry: Registry) -> None:
    """Parameters of a push's Content-Type are not answered, and do not make it another type (end-7a, end-3)."""
    repository, body = where(registry), samples.image()
    samples.put(repository, "parameters", body, f"{MANIFEST}; charset=utf-8")
    expect.content(repository.get("manifests/parameters"), body, Blob(body).digest, MANIFEST)


@PUSHES.check
def docker_types(registry: Registry) -> None:
    """Docker's manifests and lists are kept under their own types (end-7a, end-3)."""
    repository = where(registry)
    inner = samples.image(mediaType=DOCKER)
    outer = samples.index(mediaType=DOCKER_LIST, manifests=[samples.descriptor(Blob(inner), DOCKER)])
    for name, body, media_type in (("docker", inner, DOCKER), ("docker-list", outer, DOCKER_LIST)):
        digest = samples.put(repository, name, body, media_type)
        expect.content(repository.get(f"manifests/{name}"), body, digest, media_type)


@PUSHES.each([("announced", False), ("chunked", True)])
def length(registry: Registry, name: str, chunked: bool) -> None:
    """A manifest is taken with an announced length and without one (end-7a)."""
    repository, body = where(registry), samples.image(annotations={"length": name})
    expect.pushed(repository.put_manifest(name, body, chunked=chunked), Blob(body).digest)


@PUSHES.check
def moved_tag(registry: Registry) -> None:
    """A tag that is pushed again moves, at once; what it named stays, by its digest (end-7a, end-3)."""
    repository = where(registry)
    first, second = samples.image(annotations={"place": "1"}), samples.image(annotations={"place": "2"})
    for body in (first, second, first, first):
        samples.put(repository, "moving", body)
        expect.content(repository.get("manifests/moving"), body, Blob(body).digest, MANIFEST)
        expect.content(repository.get(f"manifests/{Blob(first).digest}"), first, Blob(first).digest, MANIFEST)


@PUSHES.check
def without_a_tag(registry: Registry) -> None:
    """A manifest that no tag names is pulled by its digest, and no tag comes of it (end-7a, end-8a)."""
    repository, body = samples.stocked(registry, "manifests-untagged"), samples.image()
    samples.put(repository, Blob(body).digest, body)
    expect.content(repository.get(f"manifests/{Blob(body).digest}"), body, Blob(body).digest, MANIFEST)
    reply = repository.get("tags/list")
    expect.same(expect.tags(reply), [], reply)


@PUSHES.check
def one_manifest_by_every_algorithm(registry: Registry) -> None:
    """The same manifest pushed by several algorithms answers to each by the digest that was asked for (end-3)."""
    repository, body = where(registry), samples.image(annotations={"by": "every algorithm"})
    for algorithm in ALGORITHMS:
        named = digest(body, algorithm)
        expect.pushed(repository.put_manifest(named, body, tags=(f"by-{algorithm}",)), named)
    for algorithm in ALGORITHMS:
        for reference in (digest(body, algorithm), f"by-{algorithm}"):
            reply = repository.get(f"manifests/{reference}")
            expect.content(reply, body, digest(body, algorithm), MANIFEST)


@PUSHES.check
def mixed_algorithms(registry: Registry) -> None:
    """A manifest may name its blobs by several algorithms (end-7a)."""
    repository = where(registry)
    blobs = [registry.blob(f"mixed {algorithm}", 50, algorithm) for algorithm in ALGORITHMS]
    uploads.bring(repository, *blobs)
    samples.put(repository, "mixed", samples.image(layers=[samples.descriptor(blob) for blob in blobs]))


@PUSHES.check
def all_tags_or_none(registry: Registry) -> None:
    """Of tags that go with one push, one that cannot be set keeps all from being set (end-7b)."""
    repository, body = samples.stocked(registry, "manifests-tags"), samples.image()
    reply = repository.put_manifest(Blob(body).digest, body, tags=("good", ".bad", "fine"))
    expect.error(reply, (400,))
    expect.gone(repository, "manifests/good", "manifests/fine")


@PUSHES.check
def tag_that_is_no_digest_of_it(registry: Registry) -> None:
    """A push by tag is known by its sha256 digest (end-7a)."""
    repository, body = where(registry), samples.image(annotations={"by": "tag"})
    found = expect.pushed(repository.put_manifest("by-tag", body), Blob(body).digest)
    expect.content(registry.ask("GET", found), body, Blob(body).digest, MANIFEST)
