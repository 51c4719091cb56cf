"""A short history with every type of event in it, as the vectors of the log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from artifactstore.events.codec import draft, leaf_hash, seal
from artifactstore.events.model import (
    BlobLinked,
    BlobUnlinked,
    EdgeFact,
    Fact,
    LogCreated,
    ManifestDeleted,
    ManifestStored,
    ObjectFact,
    PackageFinalized,
    RepositoryDeleted,
    TagDeleted,
    TagMoved,
)
from artifactstore.identity.digest import ContentAddress, Digest, digest_bytes
from artifactstore.manifest.mapping import Known, derive
from artifactstore.manifest.media_types import OCI_MANIFEST
from artifactstore.manifest.oci import parse
from artifactstore.manifest.projection import to_jcs
from conformance.vectors.oci_inputs import EMPTY, HELLO, SUBJECT, manifest

REPOSITORY = "acme/reports"
BEGAN = 1_760_184_000_000_000
"""2025-10-11T12:00:00Z, in microseconds since 1970."""
BODY = manifest(
    mediaType=OCI_MANIFEST,
    artifactType="application/vnd.example.report.v1",
    config=EMPTY,
    layers=[HELLO],
    subject=SUBJECT,
    annotations={"org.opencontainers.image.created": "2025-10-11T12:00:00Z"},
)


def stored(content: str, *algorithms: str) -> ObjectFact:
    """`content` as an object in a local directory."""
    data = content.encode()
    digests = {name: digest_bytes(name, data) for name in ("blake3", "sha256", *algorithms)}
    return ObjectFact(ContentAddress(digests["blake3"].hex), digests, len(data), "local")


def facts() -> Iterator[Fact]:
    """The history: two blobs, a manifest with its package, a tag that moves and goes, and every deletion."""
    hello, empty, body = stored("hello\n", "sha512"), stored("{}"), stored(BODY)
    yield LogCreated("0b9f6f0c-5d0e-4c39-9d4b-5b6f6a1f7c55", 1)
    yield BlobLinked(REPOSITORY, hello, hello.digests["sha512"])
    yield BlobLinked(REPOSITORY, empty, empty.digests["sha256"], mounted_from="acme/base")
    yield manifest_stored(body)
    yield package_finalized(body, hello, empty)
    yield TagMoved(REPOSITORY, "v1", body.address, body.digests["sha256"])
    yield TagDeleted(REPOSITORY, "v1", body.address)
    yield ManifestDeleted(REPOSITORY, body.address, body.digests["blake3"])
    yield BlobUnlinked(REPOSITORY, hello.address, hello.digests["sha256"])
    yield RepositoryDeleted(REPOSITORY, packages=0, tags=0, blobs=1)


def manifest_stored(body: ObjectFact) -> ManifestStored:
    """The manifest as a fact."""
    read = parse(BODY.encode())
    edges = [("config", EMPTY), ("layer", HELLO), ("subject", SUBJECT)]
    return ManifestStored(
        REPOSITORY,
        body,
        body.digests["sha256"],
        read.media_type,
        read.kind,
        read.artifact_type,
        read.is_index,
        read.role,
        tuple(edge(relation, said) for relation, said in edges),
        read.annotations,
    )


def edge(relation: Any, said: dict[str, Any]) -> EdgeFact:
    """One descriptor of the manifest as a fact."""
    return EdgeFact(relation, said["mediaType"], said["digest"], said["size"], None, said.get("annotations", {}))


def package_finalized(body: ObjectFact, *held: ObjectFact) -> PackageFinalized:
    """The package that the manifest makes."""
    known = {text: item for item in map(as_known, held) for text in item.digests.values()}
    native = derive(REPOSITORY, parse(BODY.encode()), texts(body.digests), body.size, known)
    return PackageFinalized(REPOSITORY, native.to_cbor(), native.to_value())


def as_known(item: ObjectFact) -> Known:
    """An object as the mapping sees it."""
    return Known(str(item.address), item.size, texts(item.digests))


def texts(digests: Any) -> dict[str, str]:
    """Digests as text."""
    return {name: str(digest) for name, digest in digests.items() if isinstance(digest, Digest)}


def events() -> dict[str, Any]:
    """Each event with payload, envelope and leaf hash; an actor and a time of its own."""
    return {"events": [event(sequence, fact) for sequence, fact in enumerate(facts(), 1)]}


def event(sequence: int, fact: Fact) -> dict[str, Any]:
    """One recorded fact in all its forms."""
    actor = "system" if sequence == 1 else "user:42"
    sealed = seal(draft(fact), sequence=sequence, time=BEGAN + sequence * 1_000_001, actor=actor)
    return {
        "type": sealed.type,
        "payload_jcs": to_jcs(sealed.payload).decode(),
        "payload": sealed.payload.hex(),
        "envelope_jcs": to_jcs(sealed.envelope).decode(),
        "envelope": sealed.envelope.hex(),
        "leaf_hash": leaf_hash(sealed.envelope).hex(),
    }
