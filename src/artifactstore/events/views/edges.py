"""`package_edges`: what each package's manifest points to, and so, read backwards, who refers to what."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Column, Index, Integer, Table, and_, bindparam, or_, select

from artifactstore.events.database import Query, Session, Statement
from artifactstore.events.model import Event, Fact, ManifestDeleted, ManifestStored, RepositoryDeleted
from artifactstore.events.schema import BIG, METADATA, TEXT, insert_new
from artifactstore.events.views.packages import ARTIFACT_PACKAGES
from artifactstore.events.views.view import Derived, emptied, json_text

PACKAGE_EDGES = Table(
    "package_edges",
    METADATA,
    Column("repository", TEXT, primary_key=True),
    Column("package_address", TEXT, primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("relation", TEXT, nullable=False),
    Column("target_digest", TEXT, nullable=False),
    Column("media_type", TEXT, nullable=False),
    Column("size", BIG, nullable=False),
    Column("artifact_type", TEXT, nullable=True),
    Column("annotations", TEXT, nullable=True),
    Column("kind", TEXT, nullable=False),
    Column("sequence", BIG, nullable=False),
    Index("package_edges_by_target", "repository", "relation", "target_digest", "sequence"),
    Index("package_edges_by_kind", "repository", "relation", "target_digest", "kind", "sequence"),
)


@dataclass(frozen=True, slots=True)
class EdgeRow:
    """One edge as its manifest says it; `annotations` is JSON text or None."""

    position: int
    relation: str
    target_digest: str
    media_type: str
    size: int
    artifact_type: str | None
    annotations: str | None


@dataclass(frozen=True, slots=True)
class ReferrerRow:
    """A package whose manifest names a subject: what a referrers list says of it. `annotations` is JSON text."""

    sequence: int
    content_address: str
    digest: str
    media_type: str
    size: int
    kind: str
    artifact_type: str | None
    is_index: int
    role: str
    annotations: str


_EDGES = PACKAGE_EDGES.c
_PACKAGES = ARTIFACT_PACKAGES.c

OF_PACKAGE = Query(
    select(
        _EDGES.position,
        _EDGES.relation,
        _EDGES.target_digest,
        _EDGES.media_type,
        _EDGES.size,
        _EDGES.artifact_type,
        _EDGES.annotations,
    )
    .where(
        _EDGES.repository == bindparam("repository"),
        _EDGES.package_address == bindparam("address"),
        _EDGES.position >= bindparam("position"),
    )
    .order_by(_EDGES.position)
    .limit(bindparam("limit")),
    EdgeRow,
)

_REFERRERS = (
    select(
        _EDGES.sequence,
        _PACKAGES.content_address,
        _PACKAGES.digest,
        _PACKAGES.media_type,
        _PACKAGES.size,
        _PACKAGES.kind,
        _PACKAGES.artifact_type,
        _PACKAGES.is_index,
        _PACKAGES.role,
        _PACKAGES.annotations,
    )
    .join_from(
        PACKAGE_EDGES,
        ARTIFACT_PACKAGES,
        and_(_PACKAGES.repository == _EDGES.repository, _PACKAGES.content_address == _EDGES.package_address),
    )
    .where(
        _EDGES.repository == bindparam("repository"),
        _EDGES.relation == "subject",
        _EDGES.target_digest == bindparam("digest"),
        _EDGES.sequence > bindparam("after"),
    )
    .order_by(_EDGES.sequence)
    .limit(bindparam("limit"))
)

REFERRERS = Query(_REFERRERS, ReferrerRow)
"""Who names exactly this digest as its subject, in order of arrival after the sequence `after`."""

REFERRERS_OF_KIND = Query(_REFERRERS.where(_EDGES.kind == bindparam("kind")), ReferrerRow)
"""The same, of one artifact type."""

NAMED_BY_ANOTHER: Query[str] = Query(
    select(_EDGES.package_address)
    .where(
        _EDGES.repository == bindparam("repository"),
        or_(_EDGES.relation == "config", _EDGES.relation == "layer", _EDGES.relation == "member"),
        _EDGES.target_digest == bindparam("digest"),
        _EDGES.package_address != bindparam("address"),
    )
    .limit(1),
    str,
)
"""Some package of the repository, other than the one at `address`, that holds what a digest names."""

_INSERT = Statement(insert_new(PACKAGE_EDGES))
_DELETE = Statement(
    PACKAGE_EDGES.delete().where(
        _EDGES.repository == bindparam("in_repository"), _EDGES.package_address == bindparam("address")
    )
)
_EMPTY = emptied(PACKAGE_EDGES)


class Edges(Derived):
    """The edges come with the manifest and go with it."""

    tables = (PACKAGE_EDGES,)

    def apply(self, event: Event, fact: Fact, session: Session) -> None:
        match fact:
            case ManifestStored():
                session.run_many(
                    _INSERT,
                    (
                        {
                            "repository": fact.repository,
                            "package_address": str(fact.object.address),
                            "position": position,
                            "relation": edge.relation,
                            "target_digest": edge.digest,
                            "media_type": edge.media_type,
                            "size": edge.size,
                            "artifact_type": edge.artifact_type,
                            "annotations": json_text(edge.annotations) if edge.annotations else None,
                            "kind": fact.kind,
                            "sequence": event.sequence,
                        }
                        for position, edge in enumerate(fact.edges)
                    ),
                )
            case ManifestDeleted():
                session.run(_DELETE, in_repository=fact.repository, address=str(fact.address))
            case RepositoryDeleted():
                session.run(_EMPTY, repository=fact.repository)
            case _:
                pass
