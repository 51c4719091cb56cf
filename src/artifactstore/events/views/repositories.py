"""`repositories`: a row for each name that ever held a blob or a manifest."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Column, Table, bindparam, select

from artifactstore.events.database import Query, Session, Statement
from artifactstore.events.model import BlobLinked, Event, Fact, ManifestStored
from artifactstore.events.schema import BIG, METADATA, TEXT, insert_new
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

_INSERT = Statement(insert_new(REPOSITORIES))


class Repositories(Derived):
    """A repository begins with its first blob or manifest and stays known when it is empty again."""

    tables = (REPOSITORIES,)

    def apply(self, event: Event, fact: Fact, session: Session) -> None:
        if isinstance(fact, BlobLinked | ManifestStored):
            session.run(
                _INSERT,
                name=fact.repository,
                tenant=event.tenant,
                created_sequence=event.sequence,
                created_at=event.time,
            )
