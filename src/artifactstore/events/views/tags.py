"""`tags`: what each tag names now, and the digest string it was pushed under."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, Index, Table, bindparam, select

from artifactstore.events.database import Query, Session, Statement
from artifactstore.events.facts import TagRow
from artifactstore.events.model import Event, Fact, ManifestDeleted, RepositoryDeleted, TagDeleted, TagMoved
from artifactstore.events.schema import BIG, METADATA, TEXT, upsert
from artifactstore.events.views.view import Derived, emptied

TAGS = Table(
    "tags",
    METADATA,
    Column("repository", TEXT, primary_key=True),
    Column("tag", TEXT, primary_key=True),
    Column("content_address", TEXT, nullable=False),
    Column("digest", TEXT, nullable=False),
    Column("moved_sequence", BIG, nullable=False),
    Column("moved_at", BIG, nullable=False),
    Column("package_sequence", BIG, nullable=True),
    Index("tags_by_address", "repository", "content_address", "tag"),
    Index("tags_by_name", "tag", "package_sequence"),
)
"""`package_sequence` is the `stored_sequence` of the package that the tag names, so that those of one tag in many
repositories can be listed in their order."""

_IN_REPOSITORY = TAGS.c.repository == bindparam("repository")

BY_NAME = Query(
    select(
        TAGS.c.repository, TAGS.c.tag, TAGS.c.content_address, TAGS.c.digest, TAGS.c.moved_sequence, TAGS.c.moved_at
    ).where(_IN_REPOSITORY, TAGS.c.tag == bindparam("tag")),
    TagRow,
)
PAGE: Query[str] = Query(
    select(TAGS.c.tag)
    .where(_IN_REPOSITORY, TAGS.c.tag > bindparam("last"))
    .order_by(TAGS.c.tag)
    .limit(bindparam("limit")),
    str,
)
"""Tags in byte order after `last` (exclusive)."""

OF_PACKAGE: Query[str] = Query(
    select(TAGS.c.tag)
    .where(_IN_REPOSITORY, TAGS.c.content_address == bindparam("address"))
    .order_by(TAGS.c.tag)
    .limit(bindparam("limit")),
    str,
)
"""The first tags, in byte order, that name a package."""

COUNT_OF_PACKAGE: Query[int] = Query(
    select(sa.func.count()).select_from(TAGS).where(_IN_REPOSITORY, TAGS.c.content_address == bindparam("address")), int
)
"""How many tags name a package."""

_PACKAGES = sa.table("artifact_packages", *map(sa.column, ("repository", "content_address", "stored_sequence"))).c
"""The view of packages, whose file stands on this one."""

_SEQUENCE_OF: Query[int] = Query(
    select(_PACKAGES.stored_sequence).where(
        _PACKAGES.repository == bindparam("repository"), _PACKAGES.content_address == bindparam("address")
    ),
    int,
)
_MOVE = Statement(upsert(TAGS))
_DELETE = Statement(TAGS.delete().where(_IN_REPOSITORY, TAGS.c.tag == bindparam("name")))
_DELETE_OF = Statement(TAGS.delete().where(_IN_REPOSITORY, TAGS.c.content_address == bindparam("address")))
_EMPTY = emptied(TAGS)


class Tags(Derived):
    """A tag goes with its manifest."""

    tables = (TAGS,)

    def apply(self, event: Event, fact: Fact, session: Session) -> None:
        match fact:
            case TagMoved():
                named = {"repository": fact.repository, "address": str(fact.address)}
                session.run(
                    _MOVE,
                    repository=fact.repository,
                    tag=fact.tag,
                    content_address=str(fact.address),
                    digest=str(fact.digest),
                    moved_sequence=event.sequence,
                    moved_at=event.time,
                    package_sequence=session.one(_SEQUENCE_OF, **named),
                )
            case TagDeleted():
                session.run(_DELETE, repository=fact.repository, name=fact.tag)
            case ManifestDeleted():
                session.run(_DELETE_OF, repository=fact.repository, address=str(fact.address))
            case RepositoryDeleted():
                session.run(_EMPTY, repository=fact.repository)
            case _:
                pass
