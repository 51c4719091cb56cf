"""`artifact_packages`: every live package, each the native face of one OCI manifest of its repository."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Column, Index, Integer, Table, and_, bindparam, select

from artifactstore.events.database import Query, Session, Statement
from artifactstore.events.facts import ManifestRow
from artifactstore.events.model import Event, Fact, ManifestDeleted, ManifestStored, PackageFinalized, RepositoryDeleted
from artifactstore.events.schema import BIG, EVENTS, METADATA, TEXT
from artifactstore.events.views.objects import OBJECT_DIGESTS
from artifactstore.events.views.tags import TAGS
from artifactstore.events.views.view import Derived, emptied, json_text
from artifactstore.identity.digest import digest_bytes

ARTIFACT_PACKAGES = Table(
    "artifact_packages",
    METADATA,
    Column("repository", TEXT, primary_key=True),
    Column("content_address", TEXT, primary_key=True),
    Column("digest", TEXT, nullable=False),
    Column("media_type", TEXT, nullable=False),
    Column("size", BIG, nullable=False),
    Column("kind", TEXT, nullable=False),
    Column("artifact_type", TEXT, nullable=True),
    Column("is_index", Integer, nullable=False),
    Column("role", TEXT, nullable=False),
    Column("annotations", TEXT, nullable=False),
    Column("actor", TEXT, nullable=False),
    Column("stored_sequence", BIG, nullable=False),
    Column("stored_at", BIG, nullable=False),
    Column("manifest_digest", TEXT, nullable=True),
    Column("finalized_sequence", BIG, nullable=True),
    Column("origin", TEXT, nullable=True),
    Column("created", TEXT, nullable=True),
    Column("metadata", TEXT, nullable=True),
    Column("file_count", BIG, nullable=True),
    Column("files_size", BIG, nullable=True),
    Column("is_member", Integer, nullable=False, server_default="0"),
    Index("artifact_packages_by_sequence", "stored_sequence", unique=True),
    Index("artifact_packages_by_member", "is_member", "stored_sequence"),
    Index("artifact_packages_by_role", "role", "is_member", "stored_sequence"),
    Index("artifact_packages_by_kind", "kind", "is_member", "stored_sequence"),
    Index("artifact_packages_by_repository", "repository", "is_member", "stored_sequence"),
    Index("artifact_packages_by_repository_role", "repository", "role", "is_member", "stored_sequence"),
    Index("artifact_packages_by_repository_kind", "repository", "kind", "is_member", "stored_sequence"),
    Index("artifact_packages_by_address", "content_address", "stored_sequence"),
    Index("artifact_packages_by_manifest", "manifest_digest", "stored_sequence"),
)
"""`metadata` is JSON where it differs from the OCI annotations (native packages), else NULL. `is_member` is 1 where an
index of the same repository lists the package, by whichever digest: lists pass over those, however many there are."""


@dataclass(frozen=True, slots=True)
class PackageRow:
    """A package. Times are log time in µs since 1970 UTC; `annotations` and `metadata` are JSON text."""

    repository: str
    content_address: str
    digest: str
    media_type: str
    size: int
    kind: str
    artifact_type: str | None
    is_index: int
    role: str
    annotations: str
    actor: str
    stored_sequence: int
    stored_at: int
    manifest_digest: str
    finalized_sequence: int
    origin: str
    created: str | None
    metadata: str | None
    file_count: int
    files_size: int
    is_member: int


_COLUMNS = ARTIFACT_PACKAGES.c
_IN_REPOSITORY = _COLUMNS.repository == bindparam("repository")
_HERE = (_IN_REPOSITORY, _COLUMNS.content_address == bindparam("address"))
_MANIFEST = (_COLUMNS.content_address, _COLUMNS.digest, _COLUMNS.media_type, _COLUMNS.size)
OF_DIGEST = and_(
    OBJECT_DIGESTS.c.digest == bindparam("digest"), OBJECT_DIGESTS.c.content_address == _COLUMNS.content_address
)
OF_TAG = and_(
    TAGS.c.repository == _COLUMNS.repository,
    TAGS.c.content_address == _COLUMNS.content_address,
    TAGS.c.tag == bindparam("tag"),
)

MANIFEST_BY_TAG = Query(
    select(_COLUMNS.content_address, TAGS.c.digest, _COLUMNS.media_type, _COLUMNS.size)
    .join_from(TAGS, ARTIFACT_PACKAGES, OF_TAG)
    .where(TAGS.c.repository == bindparam("repository")),
    ManifestRow,
)
MANIFEST_BY_DIGEST = Query(
    select(*_MANIFEST).join_from(OBJECT_DIGESTS, ARTIFACT_PACKAGES, OF_DIGEST).where(_IN_REPOSITORY), ManifestRow
)
MANIFEST_BY_ADDRESS = Query(select(*_MANIFEST).where(*_HERE), ManifestRow)
BY_ADDRESS = Query(select(ARTIFACT_PACKAGES).where(*_HERE), PackageRow)
BY_MANIFEST = Query(
    select(ARTIFACT_PACKAGES)
    .where(_COLUMNS.manifest_digest == bindparam("manifest_digest"))
    .order_by(_COLUMNS.stored_sequence)
    .limit(1),
    PackageRow,
)
"""The oldest live package that a native manifest describes."""

NATIVE_MANIFEST: Query[bytes] = Query(select(EVENTS.c.payload).where(EVENTS.c.sequence == bindparam("sequence")), bytes)
"""A native manifest's bytes: the payload of the event that finalized its package."""

STORED_AT: Query[str] = Query(
    select(_COLUMNS.content_address).where(_IN_REPOSITORY, _COLUMNS.stored_sequence == bindparam("sequence")), str
)
"""The address of the package that the event of that sequence stored."""


_INSERT = Statement(ARTIFACT_PACKAGES.insert())
_FINALIZED = (
    "kind",
    "manifest_digest",
    "finalized_sequence",
    "origin",
    "created",
    "metadata",
    "file_count",
    "files_size",
)
_FINALIZE = Statement(
    ARTIFACT_PACKAGES.update()
    .where(_COLUMNS.repository == bindparam("in_repository"), _COLUMNS.stored_sequence == bindparam("stored"))
    .values({name: bindparam(f"new_{name}") for name in _FINALIZED})
)
_DELETE = Statement(ARTIFACT_PACKAGES.delete().where(*_HERE))
_PACKAGE_EDGES = sa.table(
    "package_edges", *map(sa.column, ("repository", "package_address", "relation", "target_digest"))
)
"""The view of edges, whose file stands on this one."""

_EDGES = _PACKAGE_EDGES.c

_NAMED = OBJECT_DIGESTS.alias("named")
_LISTINGS = (
    select(1)
    .select_from(_NAMED)
    .join(_PACKAGE_EDGES, _EDGES.target_digest == _NAMED.c.digest)
    .where(_EDGES.relation == "member")
)
"""Edges by which indexes list an object, by whichever of its digests."""

_IS_LISTED: Query[int] = Query(
    _LISTINGS.where(_NAMED.c.content_address == bindparam("address"), _EDGES.repository == bindparam("repository")), int
)
_LIST = Statement(
    ARTIFACT_PACKAGES.update()
    .where(
        _COLUMNS.repository == bindparam("in_repository"),
        _COLUMNS.content_address
        == select(OBJECT_DIGESTS.c.content_address)
        .where(OBJECT_DIGESTS.c.digest == bindparam("target"))
        .scalar_subquery(),
    )
    .values(is_member=1)
)
_UNLIST = Statement(
    ARTIFACT_PACKAGES.update()
    .where(
        _COLUMNS.repository == bindparam("in_repository"),
        _COLUMNS.content_address.in_(
            select(OBJECT_DIGESTS.c.content_address)
            .join(_PACKAGE_EDGES, _EDGES.target_digest == OBJECT_DIGESTS.c.digest)
            .where(
                _EDGES.repository == bindparam("in_repository"),
                _EDGES.package_address == bindparam("index"),
                _EDGES.relation == "member",
            )
        ),
    )
    .values(
        is_member=sa.exists(
            _LISTINGS.where(
                _NAMED.c.content_address == _COLUMNS.content_address,
                _EDGES.repository == _COLUMNS.repository,
                _EDGES.package_address != bindparam("index"),
            )
        )
    )
)
"""What an index listed is a member only where another index lists it too."""

_EMPTY = emptied(ARTIFACT_PACKAGES)


class Packages(Derived):
    """A manifest stored is a package at once; the event right after it brings its native side."""

    tables = (ARTIFACT_PACKAGES,)

    def apply(self, event: Event, fact: Fact, session: Session) -> None:
        match fact:
            case ManifestStored():
                address = str(fact.object.address)
                listed = session.one(_IS_LISTED, repository=fact.repository, address=address)
                session.run(_INSERT, **_stored(event, fact, is_member=listed is not None))
                if fact.is_index:
                    members = (edge.digest for edge in fact.edges if edge.relation == "member")
                    session.run_many(
                        _LIST, ({"in_repository": fact.repository, "target": digest} for digest in members)
                    )
            case PackageFinalized():
                session.run(_FINALIZE, **_finalized(event, fact))
            case ManifestDeleted():
                session.run(_UNLIST, in_repository=fact.repository, index=str(fact.address))
                session.run(_DELETE, repository=fact.repository, address=str(fact.address))
            case RepositoryDeleted():
                session.run(_EMPTY, repository=fact.repository)
            case _:
                pass


def _stored(event: Event, fact: ManifestStored, *, is_member: bool) -> dict[str, object]:
    row: dict[str, object] = dict.fromkeys(_COLUMNS.keys())
    row.update(
        repository=fact.repository,
        content_address=str(fact.object.address),
        digest=str(fact.digest),
        media_type=fact.media_type,
        size=fact.object.size,
        kind=fact.kind,
        artifact_type=fact.artifact_type,
        is_index=int(fact.is_index),
        role=fact.role,
        annotations=json_text(fact.annotations),
        actor=event.actor,
        stored_sequence=event.sequence,
        stored_at=event.time,
        is_member=int(is_member),
    )
    return row


def _finalized(event: Event, fact: PackageFinalized) -> dict[str, object]:
    package, provenance = fact.value["package"], fact.value["provenance"]
    files = fact.value["files"]
    return {
        "in_repository": fact.repository,
        "stored": event.sequence - 1,
        "new_kind": package["kind"],
        "new_manifest_digest": str(digest_bytes("blake3", fact.manifest)),
        "new_finalized_sequence": event.sequence,
        "new_origin": provenance["origin"],
        "new_created": package.get("created"),
        "new_metadata": json_text(package["metadata"]) if provenance["origin"] == "native" else None,
        "new_file_count": len(files),
        "new_files_size": sum(file["size"] for file in files),
    }
