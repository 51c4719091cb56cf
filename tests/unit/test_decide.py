"""The rules, on facts given by hand: each request's events or its refusal, without database or bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

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
from artifactstore.events.facts import BlobRow, Holdings, LocationRow, ManifestRow, TagRow, UploadEnded, UploadRow
from artifactstore.events.log import Decision
from artifactstore.events.model import (
    BlobLinked,
    ManifestStored,
    ObjectFact,
    PackageFinalized,
    RepositoryDeleted,
    TagMoved,
)
from artifactstore.identity.digest import ContentAddress, Digest, digest_bytes
from artifactstore.registry import decide

NOW = 2_000_000_000_000_000
HOUR = 3600 * 1_000_000
REPOSITORY = "acme/reports"
DATA = b"data"
ADDRESS = ContentAddress(digest_bytes("blake3", DATA).hex)
SHA256 = digest_bytes("sha256", DATA)
OBJECT = ObjectFact(ADDRESS, {"blake3": ADDRESS.digest, "sha256": SHA256}, 4, "memory")
KNOWN_DIGESTS = [str(ADDRESS), str(SHA256)]
LIVE = ManifestRow(str(ADDRESS), str(SHA256), "type/a", 4)


@dataclass
class GivenFacts:
    """Facts given by hand; each answers whatever it is asked with."""

    address: str | None = None
    digests: Sequence[str] = ()
    place: LocationRow | None = None
    held: BlobRow | None = None
    held_at: BlobRow | None = None
    holding: str | None = None
    live: ManifestRow | None = None
    tagged: TagRow | None = None
    classes: Sequence[str] = ()
    uploads: int = 0
    contents: Holdings | None = None
    open_here: Sequence[str] = ()

    def address_of(self, digest: str) -> str | None:
        return self.address

    def digests_of(self, address: str) -> Sequence[str]:
        return self.digests

    def location(self, address: str) -> LocationRow | None:
        return self.place

    def blob(self, repository: str, digest: str) -> BlobRow | None:
        return self.held

    def blob_at(self, repository: str, address: str) -> BlobRow | None:
        return self.held_at

    def holder(self, address: str) -> str | None:
        return self.holding

    def manifest(self, repository: str, digest: str) -> ManifestRow | None:
        return self.live

    def manifest_at(self, repository: str, address: str) -> ManifestRow | None:
        return self.live

    def tag(self, repository: str, tag: str) -> TagRow | None:
        return self.tagged

    def has_retention_class(self, name: str) -> bool:
        return name in self.classes

    def holdings(self, repository: str) -> Holdings | None:
        return self.contents

    def upload(self, upload_id: str) -> UploadRow | None:
        return UploadRow(upload_id, REPOSITORY, "actor", None, NOW) if upload_id in self.open_here else None

    def uploads_of(self, repository: str) -> Sequence[str]:
        return self.open_here

    def open_uploads(self) -> int:
        return self.uploads


NOTHING = GivenFacts()


def types(decision: Decision) -> list[str]:
    """The types of the facts decided."""
    return [draft.fact.TYPE for draft in decision.facts]


def blob_push(*, ingested_at: int = NOW, upload_id: str | None = None) -> decide.BlobPush:
    """A push of DATA."""
    return decide.BlobPush(REPOSITORY, OBJECT, SHA256, ingested_at, upload_id)


def manifest_push(**changes: Any) -> decide.ManifestPush:
    """A push of DATA as if it were a manifest with one child."""
    stored = ManifestStored(REPOSITORY, OBJECT, SHA256, "type/a", "kind", None, False, "package", (), {})
    drafts = (codec.draft(stored), codec.draft(PackageFinalized(REPOSITORY, b"\xa0", {})))
    given: dict[str, Any] = {
        "repository": REPOSITORY,
        "address": ADDRESS,
        "media_type": "type/a",
        "ingested_at": NOW,
        "drafts": drafts,
        "children": (decide.Child("sha256:child", "blake3:child", is_manifest=False, required=True),),
        "retention_class": None,
        "sparse": False,
        "tags": (decide.TagPush("v1", SHA256),),
    }
    return decide.ManifestPush(**{**given, **changes})


HELD = GivenFacts(held=BlobRow("blake3:child", 4))


def test_new_blob_is_linked() -> None:
    """A blob that the repository does not hold becomes one fact, and its upload ends in the same transaction."""
    decision = decide.link_blob(blob_push(upload_id="u1"), GivenFacts(open_here=("u1",)), NOW)
    assert types(decision) == ["v1.blob.linked"]
    assert decision.working == (UploadEnded("u1"),)


def test_known_blob_is_no_fact() -> None:
    """A blob that is held under every digest it was hashed to is not told again."""
    facts = GivenFacts(held_at=BlobRow(str(ADDRESS), 4), digests=KNOWN_DIGESTS)
    assert decide.link_blob(blob_push(), facts, NOW).facts == ()


def test_new_digest_is_a_fact() -> None:
    """A blob that is held, and hashed to a digest not known so far, is told again with it."""
    facts = GivenFacts(held_at=BlobRow(str(ADDRESS), 4), digests=[str(ADDRESS)])
    assert types(decide.link_blob(blob_push(), facts, NOW)) == ["v1.blob.linked"]


@pytest.mark.parametrize("age", [HOUR, HOUR + 1])
def test_receipts_expire(age: int) -> None:
    """A receipt of an hour is trusted, an older one is not."""
    push = blob_push(ingested_at=NOW - age)
    if age > HOUR:
        with pytest.raises(IngestExpired):
            decide.link_blob(push, NOTHING, NOW)
    else:
        assert types(decide.link_blob(push, NOTHING, NOW)) == ["v1.blob.linked"]


def test_mount_needs_a_holder() -> None:
    """A blob mounts from a repository that holds it, named or found, and from nowhere else."""
    known = GivenFacts(address=str(ADDRESS))
    held = GivenFacts(
        address=str(ADDRESS),
        digests=KNOWN_DIGESTS,
        place=LocationRow(str(ADDRESS), "memory", 4),
        held_at=BlobRow(str(ADDRESS), 4),
        holding="other",
    )
    for source in ("other", None):
        decision = decide.mount_blob(REPOSITORY, SHA256, source, held, NOW)
        (draft,) = decision.facts
        assert draft.fact == BlobLinked(REPOSITORY, OBJECT, SHA256, mounted_from="other")
        assert decision.answer is True
        assert decide.mount_blob(REPOSITORY, SHA256, source, known, NOW) == Decision(answer=False)
        assert decide.mount_blob(REPOSITORY, SHA256, source, NOTHING, NOW) == Decision(answer=False)


def test_what_is_not_there_cannot_be_deleted() -> None:
    """Deleting a blob, tag or manifest that the repository does not hold is refused by name."""
    with pytest.raises(BlobUnknown):
        decide.unlink_blob(REPOSITORY, SHA256, NOTHING, NOW)
    with pytest.raises(ManifestUnknown):
        decide.delete_tag(REPOSITORY, "v1", NOTHING, NOW)
    with pytest.raises(ManifestUnknown):
        decide.delete_manifest(REPOSITORY, SHA256, NOTHING, NOW)
    with pytest.raises(ManifestUnknown):
        decide.move_tag(REPOSITORY, decide.TagPush("v1", SHA256), NOTHING, NOW)


def test_manifest_push_is_two_facts_and_its_tags() -> None:
    """A new manifest is stored and finalized side by side, then its tags move."""
    decision = decide.push_manifest(manifest_push(), HELD, NOW)
    assert types(decision) == ["v1.manifest.stored", "v1.package.finalized", "v1.tag.moved"]


def test_missing_child_is_refused() -> None:
    """A required child that is missing is named in the refusal; sparse repositories and optional children lack it."""
    with pytest.raises(ManifestBlobUnknown) as refusal:
        decide.push_manifest(manifest_push(), NOTHING, NOW)
    assert refusal.value.detail == {"missing": ["sha256:child"]}
    absent = decide.Child("sha256:child", None, is_manifest=False, required=True)
    optional = decide.Child("sha256:child", None, is_manifest=False, required=False)
    for push in (manifest_push(children=(absent,), sparse=True), manifest_push(children=(optional,))):
        assert len(decide.push_manifest(push, NOTHING, NOW).facts) == 3


@pytest.mark.parametrize("now_at", [None, "blake3:another"])
def test_changed_child_is_derived_again(now_at: str | None) -> None:
    """A child that is no longer what the native manifest was derived from stops the push."""
    facts = GivenFacts(held=BlobRow(now_at, 4) if now_at else None)
    with pytest.raises(FactsChanged):
        decide.push_manifest(manifest_push(sparse=True), facts, NOW)


def test_repush_moves_tags_only() -> None:
    """A manifest that lives is not stored again; a tag that names it already does not move, another does."""
    tagged = GivenFacts(live=LIVE, tagged=TagRow(REPOSITORY, "v1", str(ADDRESS), str(SHA256), 1, 1))
    assert types(decide.push_manifest(manifest_push(), GivenFacts(live=LIVE), NOW)) == ["v1.tag.moved"]
    assert decide.push_manifest(manifest_push(), tagged, NOW).facts == ()
    sha512 = Digest("sha512", "0" * 128)
    moves = (decide.TagPush("v1", sha512),)
    again = decide.repush_manifest(REPOSITORY, ADDRESS, "type/a", moves, tagged, NOW)
    assert [draft.fact for draft in again.facts] == [TagMoved(REPOSITORY, "v1", ADDRESS, sha512)]
    with pytest.raises(FactsChanged):
        decide.repush_manifest(REPOSITORY, ADDRESS, "type/a", moves, NOTHING, NOW)


def test_live_bytes_have_one_media_type() -> None:
    """The bytes of a live manifest under another media type are refused."""
    with pytest.raises(ManifestInvalid):
        decide.push_manifest(manifest_push(media_type="type/b"), GivenFacts(live=LIVE), NOW)


def test_retention_class_must_exist() -> None:
    """A manifest that asks for a retention class gets one that there is."""
    push = manifest_push(retention_class="record")
    with pytest.raises(ManifestInvalid):
        decide.push_manifest(push, HELD, NOW)
    assert len(decide.push_manifest(push, GivenFacts(held=HELD.held, classes=["record"]), NOW).facts) == 3


def test_upload_that_ended_makes_no_blob() -> None:
    """A blob whose upload is no longer open under the fence is refused."""
    with pytest.raises(UploadUnknown):
        decide.link_blob(blob_push(upload_id="u1"), GivenFacts(open_here=("u2",)), NOW)


def test_repository_goes_as_one_fact() -> None:
    """A repository's deletion counts what it holds and ends its uploads; one that is not there is refused."""
    facts = GivenFacts(contents=Holdings(packages=3, tags=2, blobs=5, size=9), open_here=("u1", "u2"))
    decision = decide.delete_repository(REPOSITORY, facts, NOW)
    assert [draft.fact for draft in decision.facts] == [RepositoryDeleted(REPOSITORY, packages=3, tags=2, blobs=5)]
    assert decision.working == (UploadEnded("u1"), UploadEnded("u2"))
    with pytest.raises(RepositoryUnknown):
        decide.delete_repository(REPOSITORY, NOTHING, NOW)


def test_upload_that_was_opened_again_does_not_expire() -> None:
    """Only a session from before the given moment is forgotten; one that is not there needs no change."""
    open_here = GivenFacts(open_here=("u1",))
    assert decide.expire_upload("u1", NOW + 1, open_here, NOW).working == (UploadEnded("u1"),)
    assert decide.expire_upload("u1", NOW, open_here, NOW).working == ()
    assert decide.expire_upload("u2", NOW + 1, open_here, NOW).working == ()


def test_open_uploads_are_bounded() -> None:
    """An upload opens while fewer than the limit are open."""
    row = UploadRow("u1", REPOSITORY, "anonymous", None, NOW)
    assert len(decide.open_upload(row, 2, GivenFacts(uploads=1), NOW).working) == 1
    with pytest.raises(TooManyRequests):
        decide.open_upload(row, 2, GivenFacts(uploads=2), NOW)
