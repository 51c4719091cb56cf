"""Facts and events as canonical CBOR (RFC 8949 4.2.1), and back.

The envelope's bytes are the leaf of the Merkle tree (RFC 6962 2.1: `SHA-256(0x00 || leaf)`), so they never change.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from artifactstore.errors import LogCorrupt, ManifestInvalid
from artifactstore.events import model
from artifactstore.events.model import Draft, EdgeFact, Event, Fact, ObjectFact
from artifactstore.identity.digest import ContentAddress, Digest
from artifactstore.manifest.codec import decode, encode

ENVELOPE_VERSION = 1
ENVELOPE_BYTES_MAX = 65_535
"""A tile of the published log holds at most this many bytes for one entry (C2SP tlog-tiles)."""

_Value = dict[str, Any]


def draft(fact: Fact) -> Draft:
    """Encode a fact for the appender. Raises ManifestInvalid for what canonical CBOR cannot hold."""
    payload = fact.manifest if isinstance(fact, model.PackageFinalized) else encode(_TO_VALUE[type(fact)](fact))
    repository: str | None = getattr(fact, "repository", None)
    if repository is None:
        return Draft(fact, "", model.REGISTRY_STREAM, payload)
    return Draft(fact, repository.partition("/")[0], repository, payload)


def seal(drafted: Draft, *, sequence: int, time: int, actor: str) -> Event:
    """Give a drafted fact its place in the log."""
    envelope = encode(
        {
            "v": ENVELOPE_VERSION,
            "seq": sequence,
            "type": drafted.fact.TYPE,
            "time": time,
            "actor": actor,
            "tenant": drafted.tenant,
            "stream": drafted.stream,
            "payload_sha256": f"sha256:{hashlib.sha256(drafted.payload).hexdigest()}",
            "payload_size": len(drafted.payload),
        }
    )
    if len(envelope) > ENVELOPE_BYTES_MAX:
        raise LogCorrupt(f"an envelope of {len(envelope)} bytes does not fit a log entry")
    return Event(
        sequence=sequence,
        type=drafted.fact.TYPE,
        time=time,
        actor=actor,
        tenant=drafted.tenant,
        stream=drafted.stream,
        envelope=envelope,
        payload=drafted.payload,
        leaf_hash=leaf_hash(envelope),
    )


def leaf_hash(envelope: bytes) -> bytes:
    """RFC 6962 2.1: the hash of a leaf."""
    return hashlib.sha256(b"\x00" + envelope).digest()


def check(event: Event) -> None:
    """Compare an event's columns, payload and leaf hash with its envelope. Raises LogCorrupt naming a difference."""
    said = envelope_value(event)
    found = {
        "v": ENVELOPE_VERSION,
        "seq": event.sequence,
        "type": event.type,
        "time": event.time,
        "actor": event.actor,
        "tenant": event.tenant,
        "stream": event.stream,
        "payload_sha256": f"sha256:{hashlib.sha256(event.payload).hexdigest()}",
        "payload_size": len(event.payload),
    }
    for key in sorted(found.keys() | said.keys()):
        if found.get(key) != said.get(key):
            raise LogCorrupt(f"event {event.sequence}: {key} is not what its envelope says")
    if leaf_hash(event.envelope) != event.leaf_hash:
        raise LogCorrupt(f"event {event.sequence}: the leaf hash is not that of its envelope")


def fact_of(event: Event) -> Fact:
    """Read an event's fact back. Raises LogCorrupt when the type is unknown or the payload does not decode."""
    value = payload_value(event)
    if event.type == model.PackageFinalized.TYPE:
        return model.PackageFinalized(event.stream, event.payload, value)
    read = _FROM_VALUE.get(event.type)
    if read is None:
        raise LogCorrupt(f"event {event.sequence} has the unknown type {event.type}")
    try:
        return read(event.stream, value)
    except (KeyError, TypeError, ValueError) as error:
        raise LogCorrupt(f"event {event.sequence}: its payload lacks {error}") from error


def payload_value(event: Event) -> _Value:
    """The payload as plain values, for people and JSON."""
    return _decode(event.payload, f"payload of event {event.sequence}")


def envelope_value(event: Event) -> _Value:
    """The envelope as plain values. Raises LogCorrupt."""
    return _decode(event.envelope, f"envelope of event {event.sequence}")


def _decode(data: bytes, what: str) -> _Value:
    try:
        value = decode(data)
    except ManifestInvalid as error:
        raise LogCorrupt(f"the {what} is not canonical CBOR: {error.message}") from error
    if not isinstance(value, dict):
        raise LogCorrupt(f"the {what} is not a map")
    return value


def _without_none(value: _Value) -> _Value:
    return {key: item for key, item in value.items() if item is not None}


def _object_value(stored: ObjectFact) -> _Value:
    return {
        "content_address": str(stored.address),
        "digests": {name: str(digest) for name, digest in stored.digests.items()},
        "size": stored.size,
        "backend_id": stored.backend_id,
    }


def _object(value: _Value) -> ObjectFact:
    return ObjectFact(
        ContentAddress.parse(value["content_address"]),
        {name: Digest.parse(text) for name, text in value["digests"].items()},
        value["size"],
        value["backend_id"],
    )


def _edge_value(edge: EdgeFact) -> _Value:
    return _without_none(
        {
            "relation": edge.relation,
            "media_type": edge.media_type,
            "digest": edge.digest,
            "size": edge.size,
            "artifact_type": edge.artifact_type,
            "annotations": dict(edge.annotations) or None,
        }
    )


def _edge(value: _Value) -> EdgeFact:
    return EdgeFact(
        value["relation"],
        value["media_type"],
        value["digest"],
        value["size"],
        value.get("artifact_type"),
        value.get("annotations", {}),
    )


def _log_created_value(fact: model.LogCreated) -> _Value:
    return {"log_id": fact.log_id, "format": fact.format}


def _blob_linked_value(fact: model.BlobLinked) -> _Value:
    return _without_none(
        {"object": _object_value(fact.object), "digest": str(fact.digest), "mounted_from": fact.mounted_from}
    )


def _deleted_value(fact: model.BlobUnlinked | model.ManifestDeleted) -> _Value:
    return {"content_address": str(fact.address), "digest": str(fact.digest)}


def _manifest_stored_value(fact: model.ManifestStored) -> _Value:
    return _without_none(
        {
            "object": _object_value(fact.object),
            "digest": str(fact.digest),
            "media_type": fact.media_type,
            "kind": fact.kind,
            "artifact_type": fact.artifact_type,
            "is_index": fact.is_index,
            "role": fact.role,
            "edges": [_edge_value(edge) for edge in fact.edges],
            "annotations": dict(fact.annotations),
        }
    )


def _tag_moved_value(fact: model.TagMoved) -> _Value:
    return {"tag": fact.tag, "content_address": str(fact.address), "digest": str(fact.digest)}


def _tag_deleted_value(fact: model.TagDeleted) -> _Value:
    return {"tag": fact.tag, "content_address": str(fact.address)}


def _repository_deleted_value(fact: model.RepositoryDeleted) -> _Value:
    return {"packages": fact.packages, "tags": fact.tags, "blobs": fact.blobs}


def _blob_linked(stream: str, value: _Value) -> Fact:
    return model.BlobLinked(stream, _object(value["object"]), Digest.parse(value["digest"]), value.get("mounted_from"))


def _manifest_stored(stream: str, value: _Value) -> Fact:
    return model.ManifestStored(
        stream,
        _object(value["object"]),
        Digest.parse(value["digest"]),
        value["media_type"],
        value["kind"],
        value.get("artifact_type"),
        value["is_index"],
        value["role"],
        tuple(_edge(item) for item in value["edges"]),
        value["annotations"],
    )


def _address(value: _Value) -> ContentAddress:
    return ContentAddress.parse(value["content_address"])


_TO_VALUE: Mapping[type[Fact], Callable[[Any], _Value]] = {
    model.LogCreated: _log_created_value,
    model.BlobLinked: _blob_linked_value,
    model.BlobUnlinked: _deleted_value,
    model.ManifestStored: _manifest_stored_value,
    model.TagMoved: _tag_moved_value,
    model.TagDeleted: _tag_deleted_value,
    model.ManifestDeleted: _deleted_value,
    model.RepositoryDeleted: _repository_deleted_value,
}

_FROM_VALUE: Mapping[str, Callable[[str, _Value], Fact]] = {
    model.LogCreated.TYPE: lambda _, v: model.LogCreated(v["log_id"], v["format"]),
    model.BlobLinked.TYPE: _blob_linked,
    model.BlobUnlinked.TYPE: lambda s, v: model.BlobUnlinked(s, _address(v), Digest.parse(v["digest"])),
    model.ManifestStored.TYPE: _manifest_stored,
    model.TagMoved.TYPE: lambda s, v: model.TagMoved(s, v["tag"], _address(v), Digest.parse(v["digest"])),
    model.TagDeleted.TYPE: lambda s, v: model.TagDeleted(s, v["tag"], _address(v)),
    model.ManifestDeleted.TYPE: lambda s, v: model.ManifestDeleted(s, _address(v), Digest.parse(v["digest"])),
    model.RepositoryDeleted.TYPE: lambda s, v: model.RepositoryDeleted(s, v["packages"], v["tags"], v["blobs"]),
}
