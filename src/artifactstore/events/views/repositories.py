"""`repositories`: a row for each name that held a blob or a manifest and was not deleted since."""

from __future__ import annotations

from dataclasses import dataclass, fields

import sqlalchemy as sa
from sqlalchemy import Column, Table, bindparam, select

from artifactstore.events.database import Query, Session, Statement
from artifactstore.events.facts import Holdings
from artifactstore.events.model import (
    BlobLinked,
    BlobUnlinked,
    Event,
    Fact,
    ManifestDeleted,
    ManifestStored,
    RepositoryDeleted,
    TagDeleted,
    TagMoved,
)
from artifactstore.events.schema import BIG, METADATA, TEXT, insert_new
from artifactstore.events.views import blobs, packages, tags
from artifactstore.events.views.view import Derived

HELD = tuple(field.name for field in fields(Holdings))
REPOSITORIES = Table(
    "repositories",
    METADATA,
    Column("name", TEXT, primary_key=True),
    Column("tenant", TEXT, nullable=False),
    Column("created_sequence", BIG, nullable=False),
    Column("created_at", BIG, nullable=False),
    *(Column(name, BIG, nullable=False, server_default="0") for name in HELD),
)
"""What each holds is counted as it comes and goes; a count of a hundred thousand tags would hold up everybody."""


@dataclass(frozen=True, slots=True)
class RepositoryRow:
    """A repository; `created_at` is the log time of its first fact, in microseconds since 1970 UTC."""

    name: str
    tenant: str
    created_sequence: int
    created_at: int


_ROW = tuple(REPOSITORIES.c[field.name] for field in fields(RepositoryRow))
BY_NAME = Query(select(*_ROW).where(REPOSITORIES.c.name == bindparam("name")), RepositoryRow)
_PAGE = (
    select(*_ROW)
    .where(REPOSITORIES.c.name > bindparam("last"))
    .order_by(REPOSITORIES.c.name)
    .limit(bindparam("limit", type_=sa.Integer))
)
PAGE = Query(_PAGE, RepositoryRow)
"""Names in byte order after `last` (exclusive)."""

PAGE_BETWEEN = Query(_PAGE.where(REPOSITORIES.c.name < bindparam("end")), RepositoryRow)
"""The same, before `end` (exclusive)."""


HOLDINGS = Query(
    select(*(REPOSITORIES.c[name] for name in HELD)).where(REPOSITORIES.c.name == bindparam("name")), Holdings
)
"""What a repository holds; no row for one that is not there."""

_INSERT = Statement(insert_new(REPOSITORIES))
_CHANGE = Statement(
    REPOSITORIES.update()
    .where(REPOSITORIES.c.name == bindparam("changed"))
    .values({name: REPOSITORIES.c[name] + bindparam(f"more_{name}") for name in HELD})
)
_DELETE = Statement(REPOSITORIES.delete().where(REPOSITORIES.c.name == bindparam("gone")))


class Repositories(Derived):
    """A repository begins with its first blob or manifest, is known also when empty, and ends when it is deleted."""

    tables = (REPOSITORIES,)

    def apply(self, event: Event, fact: Fact, session: Session) -> None:
        match fact:
            case BlobLinked() | ManifestStored():
                session.run(
                    _INSERT,
                    name=fact.repository,
                    tenant=event.tenant,
                    created_sequence=event.sequence,
                    created_at=event.time,
                    **dict.fromkeys(HELD, 0),
                )
            case RepositoryDeleted():
                session.run(_DELETE, gone=fact.repository)
            case _:
                pass
        more = _change(fact, session)
        if more is not None:
            session.run(_CHANGE, changed=event.stream, **{f"more_{name}": getattr(more, name) for name in HELD})


def _change(fact: Fact, session: Session) -> Holdings | None:
    """What the repository holds more than before: this view is the first, so the others tell what was there."""
    match fact:
        case BlobLinked():
            linked = session.one(blobs.BY_ADDRESS, repository=fact.repository, address=str(fact.object.address))
            return None if linked else Holdings(packages=0, tags=0, blobs=1, size=fact.object.size)
        case BlobUnlinked():
            blob = session.one(blobs.BY_ADDRESS, repository=fact.repository, address=str(fact.address))
            return Holdings(packages=0, tags=0, blobs=-1, size=-blob.size) if blob else None
        case ManifestStored():
            return Holdings(packages=1, tags=0, blobs=0, size=fact.object.size)
        case ManifestDeleted():
            here = {"repository": fact.repository, "address": str(fact.address)}
            manifest = session.one(packages.MANIFEST_BY_ADDRESS, **here)
            count = session.one(tags.COUNT_OF_PACKAGE, **here) or 0
            return Holdings(packages=-1, tags=-count, blobs=0, size=-manifest.size) if manifest else None
        case TagMoved() | TagDeleted():
            was = session.one(tags.BY_NAME, repository=fact.repository, tag=fact.tag) is not None
            return Holdings(packages=0, tags=int(isinstance(fact, TagMoved)) - int(was), blobs=0, size=0)
        case _:
            return None
