"""`repositories`: a row for each name that held a blob or a manifest and was not deleted since."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Column, Table, bindparam, func, select

from artifactstore.events.database import Query, Session, Statement
from artifactstore.events.facts import Holdings
from artifactstore.events.model import BlobLinked, Event, Fact, ManifestStored, RepositoryDeleted
from artifactstore.events.schema import BIG, METADATA, TEXT, insert_new
from artifactstore.events.views.blobs import REPOSITORY_BLOBS
from artifactstore.events.views.packages import ARTIFACT_PACKAGES
from artifactstore.events.views.tags import TAGS
from artifactstore.events.views.view import Derived

REPOSITORIES = Table(
    "repositories",
    METADATA,
    Column("name", TEXT, primary_key=True),
    Column("tenant", TEXT, nullable=False),
    Column("created_sequence", BIG, nullable=False),
    Column("created_at", BIG, nullable=False),
)


@dataclass(frozen=True, slots=True)
class RepositoryRow:
    """A repository; `created_at` is the log time of its first fact, in microseconds since 1970 UTC."""

    name: str
    tenant: str
    created_sequence: int
    created_at: int


BY_NAME = Query(select(REPOSITORIES).where(REPOSITORIES.c.name == bindparam("name")), RepositoryRow)
_PAGE = (
    select(REPOSITORIES)
    .where(REPOSITORIES.c.name > bindparam("last"))
    .order_by(REPOSITORIES.c.name)
    .limit(bindparam("limit", type_=sa.Integer))
)
PAGE = Query(_PAGE, RepositoryRow)
"""Names in byte order after `last` (exclusive)."""

PAGE_BETWEEN = Query(_PAGE.where(REPOSITORIES.c.name < bindparam("end")), RepositoryRow)
"""The same, before `end` (exclusive)."""


def _total(table: Table, *columns: sa.ColumnElement[int]) -> list[sa.ScalarSelect[int]]:
    """Aggregates over the rows of the repository."""
    rows = select().select_from(table).where(table.c.repository == REPOSITORIES.c.name).correlate(REPOSITORIES)
    return [rows.add_columns(column).scalar_subquery() for column in columns]


def _bytes(table: Table) -> sa.ColumnElement[int]:
    return func.coalesce(func.sum(table.c.size), 0)


_PACKAGES, _PACKAGE_BYTES = _total(ARTIFACT_PACKAGES, func.count(), _bytes(ARTIFACT_PACKAGES))
_BLOBS, _BLOB_BYTES = _total(REPOSITORY_BLOBS, func.count(), _bytes(REPOSITORY_BLOBS))
(_TAGS,) = _total(TAGS, func.count())

HOLDINGS = Query(
    select(_PACKAGES, _TAGS, _BLOBS, _PACKAGE_BYTES + _BLOB_BYTES).where(REPOSITORIES.c.name == bindparam("name")),
    Holdings,
)
"""What a repository holds; no row for one that is not there."""

_INSERT = Statement(insert_new(REPOSITORIES))
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
                )
            case RepositoryDeleted():
                session.run(_DELETE, gone=fact.repository)
            case _:
                pass
