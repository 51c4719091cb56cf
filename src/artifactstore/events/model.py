"""The facts: one frozen dataclass for each thing that can become true, and the event that records it.

A fact's `TYPE` is its name on the wire for good; a changed meaning is a new type (`v2.…`). Field tables, CDDL and
vectors: `docs/formats/events.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from artifactstore.identity.digest import ContentAddress, Digest

REGISTRY_STREAM = "registry"
"""The stream of facts that belong to no repository."""

Role = Literal["package", "signature", "attestation", "sbom"]
Relation = Literal["config", "layer", "member", "subject"]


@dataclass(frozen=True, slots=True)
class ObjectFact:
    """An object as it was stored: address, every digest known then, size in bytes, and the backend that holds it."""

    address: ContentAddress
    digests: Mapping[str, Digest]
    size: int
    backend_id: str


@dataclass(frozen=True, slots=True)
class EdgeFact:
    """One descriptor that a manifest holds: `relation` to what `digest` names, at its place in the manifest."""

    relation: Relation
    media_type: str
    digest: str
    size: int
    artifact_type: str | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)


class Fact:
    """Root of all facts."""

    __slots__ = ()
    TYPE: ClassVar[str]


@dataclass(frozen=True, slots=True)
class LogCreated(Fact):
    """The log begins. Always event 1. `log_id` tells this log from every other, `format` is the envelope's version."""

    TYPE: ClassVar[str] = "v1.log.created"
    log_id: str
    format: int


@dataclass(frozen=True, slots=True)
class BlobLinked(Fact):
    """A repository holds a blob from now on: pushed under `digest`, or mounted from another repository."""

    TYPE: ClassVar[str] = "v1.blob.linked"
    repository: str
    object: ObjectFact
    digest: Digest
    mounted_from: str | None = None


@dataclass(frozen=True, slots=True)
class BlobUnlinked(Fact):
    """A repository no longer holds a blob; `digest` is the name by which it was deleted."""

    TYPE: ClassVar[str] = "v1.blob.unlinked"
    repository: str
    address: ContentAddress
    digest: Digest


@dataclass(frozen=True, slots=True)
class ManifestStored(Fact):
    """A repository holds an OCI manifest: its bytes as an object, and what they say."""

    TYPE: ClassVar[str] = "v1.manifest.stored"
    repository: str
    object: ObjectFact
    digest: Digest
    media_type: str
    kind: str
    artifact_type: str | None
    is_index: bool
    role: Role
    edges: tuple[EdgeFact, ...]
    annotations: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PackageFinalized(Fact):
    """The package of the manifest stored by the event right before is complete.

    The payload is the native manifest itself: `manifest` its canonical CBOR, `value` the same, decoded.
    """

    TYPE: ClassVar[str] = "v1.package.finalized"
    repository: str
    manifest: bytes
    value: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TagMoved(Fact):
    """A tag names another manifest (or, the first time, a manifest); `digest` is the string it was pushed under."""

    TYPE: ClassVar[str] = "v1.tag.moved"
    repository: str
    tag: str
    address: ContentAddress
    digest: Digest


@dataclass(frozen=True, slots=True)
class TagDeleted(Fact):
    """A tag names nothing any more; what it named stays."""

    TYPE: ClassVar[str] = "v1.tag.deleted"
    repository: str
    tag: str
    address: ContentAddress


@dataclass(frozen=True, slots=True)
class ManifestDeleted(Fact):
    """A manifest and its package are gone from a repository, and with them every tag that named it.

    `digest` is the name by which it was deleted.
    """

    TYPE: ClassVar[str] = "v1.manifest.deleted"
    repository: str
    address: ContentAddress
    digest: Digest


@dataclass(frozen=True, slots=True)
class RepositoryDeleted(Fact):
    """A repository is gone, with every package, tag and blob link that it held; the counts say how many those were.

    Its name is unknown until something is pushed to it again. What its tags named stays in their history.
    """

    TYPE: ClassVar[str] = "v1.repository.deleted"
    repository: str
    packages: int
    tags: int
    blobs: int


FACTS: Mapping[str, type[Fact]] = {
    fact.TYPE: fact
    for fact in (
        LogCreated,
        BlobLinked,
        BlobUnlinked,
        ManifestStored,
        PackageFinalized,
        TagMoved,
        TagDeleted,
        ManifestDeleted,
        RepositoryDeleted,
    )
}
"""Every event type this version knows."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A fact ready to be recorded: encoded before the fence. `stream` is its repository, or `registry`.

    `tenant` is the repository's first segment; it is empty for the registry's own stream, which so differs from a
    repository that happens to be called `registry`.
    """

    fact: Fact
    tenant: str
    stream: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Event:
    """A recorded fact. `time` is log time in microseconds since 1970 UTC; `envelope` and `payload` are its bytes."""

    sequence: int
    type: str
    time: int
    actor: str
    tenant: str
    stream: str
    envelope: bytes
    payload: bytes
    leaf_hash: bytes
