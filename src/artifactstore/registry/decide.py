"""The rules: what each request makes true, or why it may not be. Pure functions of the facts and the present time.

They run under the fence, so what they read is what they change; all that takes long was done before.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from artifactstore.errors import (
    BlobUnknown,
    FactsChanged,
    IngestExpired,
    ManifestBlobUnknown,
    ManifestInvalid,
    ManifestUnknown,
    RepositoryUnknown,
    TooManyRequests,
    UploadUnknown,
)
from artifactstore.events import codec
from artifactstore.events.facts import Facts, ManifestRow, UploadEnded, UploadOpened, UploadRow, WorkingChange
from artifactstore.events.log import Decision
from artifactstore.events.model import (
    BlobLinked,
    BlobUnlinked,
    Draft,
    Fact,
    ManifestDeleted,
    ObjectFact,
    RepositoryDeleted,
    TagDeleted,
    TagMoved,
)
from artifactstore.identity.digest import ContentAddress, Digest

INGEST_AGE_MAX = 3600 * 1_000_000
"""The sweep spares what is younger than a day; an older receipt than this hour (in µs) is not trusted to be that."""


@dataclass(frozen=True, slots=True)
class BlobPush:
    """An ingested object that becomes a blob of `repository`, pushed under `digest`; `upload_id` ends with it."""

    repository: str
    object: ObjectFact
    digest: Digest
    ingested_at: int
    upload_id: str | None = None


@dataclass(frozen=True, slots=True)
class TagPush:
    """A tag that a push sets, and the digest string that it will answer with."""

    tag: str
    digest: Digest


@dataclass(frozen=True, slots=True)
class Child:
    """Content that a manifest names, as the push was derived from it: `address` None means that it was not there."""

    digest: str
    address: str | None
    is_manifest: bool
    required: bool


@dataclass(frozen=True, slots=True)
class ManifestPush:
    """A parsed, ingested and derived manifest: its two facts are drafted, `children` says from what."""

    repository: str
    address: ContentAddress
    media_type: str
    ingested_at: int
    drafts: tuple[Draft, Draft]
    children: tuple[Child, ...]
    retention_class: str | None
    sparse: bool
    tags: tuple[TagPush, ...] = field(default=())


def link_blob(push: BlobPush, facts: Facts, time: int) -> Decision:
    """The repository holds the blob, and every digest it was hashed to names it."""
    _require_fresh(push.ingested_at, time)
    forget: tuple[UploadEnded, ...] = ()
    if push.upload_id is not None:
        _require_open(push.upload_id, facts)
        forget = (UploadEnded(push.upload_id),)
    address = str(push.object.address)
    linked = facts.blob_at(push.repository, address) is not None
    if linked and _all_known(push.object, facts):
        return Decision(working=forget)
    return _record(BlobLinked(push.repository, push.object, push.digest), working=forget)


def mount_blob(repository: str, digest: Digest, source: str | None, facts: Facts, time: int) -> Decision:
    """The repository holds a blob that `source` (or, with None, any repository) holds. The answer: whether it does."""
    if facts.blob(repository, str(digest)) is not None:
        return Decision(answer=True)
    address = facts.address_of(str(digest))
    if address is None:
        return Decision(answer=False)
    holder = facts.holder(address) if source is None else source
    if holder is None or facts.blob_at(holder, address) is None:
        return Decision(answer=False)
    fact = BlobLinked(repository, object_fact(address, facts), digest, mounted_from=holder)
    return Decision(facts=(codec.draft(fact),), answer=True)


def unlink_blob(repository: str, digest: Digest, facts: Facts, time: int) -> Decision:
    """The repository no longer holds the blob; live packages keep their own reference."""
    blob = facts.blob(repository, str(digest))
    if blob is None:
        raise BlobUnknown("no such blob in this repository", detail={"digest": str(digest)})
    return _record(BlobUnlinked(repository, ContentAddress.parse(blob.content_address), digest))


def push_manifest(push: ManifestPush, facts: Facts, time: int) -> Decision:
    """The manifest is stored and its package finalized, unless it lives already; then its tags move."""
    _require_fresh(push.ingested_at, time)
    known = facts.manifest_at(push.repository, str(push.address))
    if known is None:
        _require_children(push, facts)
        _require_class(push.retention_class, facts)
        return Decision(facts=push.drafts + _tag_moves(push.repository, push.address, push.tags, facts))
    return _repushed(push.repository, known, push.media_type, push.tags, facts)


def repush_manifest(
    repository: str, address: ContentAddress, media_type: str, moves: tuple[TagPush, ...], facts: Facts, time: int
) -> Decision:
    """A manifest that lives already is pushed again: nothing but its tags move."""
    known = facts.manifest_at(repository, str(address))
    if known is None:
        raise FactsChanged("the manifest was deleted meanwhile", detail={"content_address": str(address)})
    return _repushed(repository, known, media_type, moves, facts)


def move_tag(repository: str, tag: TagPush, facts: Facts, time: int) -> Decision:
    """The tag names the manifest that `tag.digest` names in this repository."""
    found = facts.manifest(repository, str(tag.digest))
    if found is None:
        raise ManifestUnknown("no such manifest in this repository", detail={"digest": str(tag.digest)})
    return Decision(facts=_tag_moves(repository, ContentAddress.parse(found.content_address), (tag,), facts))


def delete_tag(repository: str, tag: str, facts: Facts, time: int) -> Decision:
    """The tag names nothing any more; its manifest stays."""
    found = facts.tag(repository, tag)
    if found is None:
        raise ManifestUnknown("no such tag in this repository", detail={"tag": tag})
    return _record(TagDeleted(repository, tag, ContentAddress.parse(found.content_address)))


def delete_manifest(repository: str, digest: Digest, facts: Facts, time: int) -> Decision:
    """The manifest, its package and every tag on it are gone from the repository: one fact."""
    found = facts.manifest(repository, str(digest))
    if found is None:
        raise ManifestUnknown("no such manifest in this repository", detail={"digest": str(digest)})
    return _record(ManifestDeleted(repository, ContentAddress.parse(found.content_address), digest))


def delete_repository(repository: str, facts: Facts, time: int) -> Decision:
    """The repository is gone with all that it held: one fact. The answer: the ids of the uploads that end with it."""
    held = facts.holdings(repository)
    if held is None:
        raise RepositoryUnknown("no such repository", detail={"name": repository})
    uploads = tuple(facts.uploads_of(repository))
    fact = RepositoryDeleted(repository, held.packages, held.tags, held.blobs)
    return Decision((codec.draft(fact),), tuple(map(UploadEnded, uploads)), answer=(fact, uploads))


def open_upload(row: UploadRow, open_max: int, facts: Facts, time: int) -> Decision:
    """An upload is open, if not too many are."""
    if facts.open_uploads() >= open_max:
        raise TooManyRequests("too many uploads are open", detail={"open_max": open_max})
    return Decision(working=(UploadOpened(row),))


def reopen_upload(row: UploadRow, open_max: int, facts: Facts, time: int) -> Decision:
    """As `open_upload`, in place of one of the same name that may still be there past its time."""
    opened = open_upload(row, open_max, facts, time)
    return Decision(working=(UploadEnded(row.upload_id), *opened.working))


def close_upload(upload_id: str, facts: Facts, time: int) -> Decision:
    """The upload is forgotten: cancelled or refused."""
    return Decision(working=(UploadEnded(upload_id),))


def expire_upload(upload_id: str, before: int, facts: Facts, time: int) -> Decision:
    """The upload is forgotten, unless it was opened again since `before`."""
    found = facts.upload(upload_id)
    is_past = found is not None and found.created_at < before
    return Decision(working=(UploadEnded(upload_id),) if is_past else ())


def object_fact(address: str, facts: Facts) -> ObjectFact:
    """What the facts know of an object that is there."""
    location = facts.location(address)
    if location is None:
        raise FactsChanged("an object is known by digest and has no location", detail={"address": address})
    known = (Digest.parse(text) for text in facts.digests_of(address))
    digests = {digest.algorithm: digest for digest in known}
    return ObjectFact(ContentAddress.parse(address), digests, location.size, location.backend_id)


def _record(*made_true: Fact, working: tuple[WorkingChange, ...] = ()) -> Decision:
    return Decision(facts=tuple(codec.draft(fact) for fact in made_true), working=working)


def _require_fresh(ingested_at: int, time: int) -> None:
    if time - ingested_at > INGEST_AGE_MAX:
        raise IngestExpired("the bytes were ingested more than an hour ago", detail={"ingested_at": ingested_at})


def _require_open(upload_id: str, facts: Facts) -> None:
    """An upload that another request ended, or that went with its repository, makes no blob."""
    if facts.upload(upload_id) is None:
        raise UploadUnknown("the upload was ended meanwhile", detail={"upload": upload_id})


def _all_known(stored: ObjectFact, facts: Facts) -> bool:
    known: Iterable[str] = facts.digests_of(str(stored.address))
    return {str(digest) for digest in stored.digests.values()} <= set(known)


def _require_children(push: ManifestPush, facts: Facts) -> None:
    """What the native manifest was derived from still holds, and nothing required is missing."""
    missing = []
    for child in push.children:
        address = address_of_child(push.repository, child.digest, child.is_manifest, facts)
        if address is None and child.required and not push.sparse:
            missing.append(child.digest)
        elif address != child.address:
            raise FactsChanged("what the manifest names has changed", detail={"digest": child.digest})
    if missing:
        raise ManifestBlobUnknown(
            "the repository does not hold what the manifest names", detail={"missing": missing[:100]}
        )


def address_of_child(repository: str, digest: str, is_manifest: bool, facts: Facts) -> str | None:
    """What a descriptor names in this repository: a manifest (of an index, also a blob), or a blob."""
    if is_manifest:
        found = facts.manifest(repository, digest)
        if found is not None:
            return found.content_address
    blob = facts.blob(repository, digest)
    return None if blob is None else blob.content_address


def _require_class(name: str | None, facts: Facts) -> None:
    if name is not None and not facts.has_retention_class(name):
        raise ManifestInvalid("no such retention class", detail={"retention_class": name[:200]})


def _repushed(
    repository: str, known: ManifestRow, media_type: str, moves: tuple[TagPush, ...], facts: Facts
) -> Decision:
    if known.media_type != media_type:
        raise ManifestInvalid(f"these bytes are stored here as {known.media_type}", detail={"media_type": media_type})
    return Decision(facts=_tag_moves(repository, ContentAddress.parse(known.content_address), moves, facts))


def _tag_moves(repository: str, address: ContentAddress, moves: tuple[TagPush, ...], facts: Facts) -> tuple[Draft, ...]:
    """The moves of those tags that do not name this already under the same digest."""
    made = []
    for move in moves:
        now = facts.tag(repository, move.tag)
        if now is None or (now.content_address, now.digest) != (str(address), str(move.digest)):
            made.append(codec.draft(TagMoved(repository, move.tag, address, move.digest)))
    return tuple(made)
