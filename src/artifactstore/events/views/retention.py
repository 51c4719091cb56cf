"""`retention_classes` and `retention_state`: how long each package is to be kept. Enforcement comes later."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Column, Integer, Table, bindparam, select

from artifactstore.events.database import Query, Session, Statement
from artifactstore.events.model import Event, Fact, ManifestDeleted, PackageFinalized, RepositoryDeleted
from artifactstore.events.schema import BIG, METADATA, TEXT
from artifactstore.events.views.packages import STORED_AT
from artifactstore.events.views.view import Derived, emptied

RETENTION_CLASSES = Table(
    "retention_classes",
    METADATA,
    Column("name", TEXT, primary_key=True),
    Column("rank", Integer, nullable=False),
    Column("days", Integer, nullable=True),
    Column("while_tagged", Integer, nullable=False),
    Column("fixed", Integer, nullable=False),
)
"""`days` NULL: for ever. `while_tagged`: also as long as a tag needs it. `fixed`: nobody may delete earlier."""

RETENTION_STATE = Table(
    "retention_state",
    METADATA,
    Column("repository", TEXT, primary_key=True),
    Column("package_address", TEXT, primary_key=True),
    Column("retention_class", TEXT, nullable=False),
    Column("since", BIG, nullable=False),
    Column("expires_at", BIG, nullable=True),
    Column("state", TEXT, nullable=False),
)

DEFAULT_CLASS = "standard"
SEED: tuple[dict[str, object], ...] = (
    {"name": "scratch", "rank": 1, "days": 7, "while_tagged": 0, "fixed": 0},
    {"name": "standard", "rank": 2, "days": 90, "while_tagged": 0, "fixed": 0},
    {"name": "release", "rank": 3, "days": 3 * 365, "while_tagged": 1, "fixed": 0},
    {"name": "record", "rank": 4, "days": 10 * 365, "while_tagged": 0, "fixed": 1},
    {"name": "permanent", "rank": 5, "days": None, "while_tagged": 0, "fixed": 1},
)
"""The five classes that the first migration writes."""

MICROSECONDS_A_DAY = 86_400_000_000


@dataclass(frozen=True, slots=True)
class RetentionRow:
    """A package's class and expiry (µs since 1970 UTC; None: never)."""

    retention_class: str
    since: int
    expires_at: int | None
    state: str


@dataclass(frozen=True, slots=True)
class ClassRow:
    """A retention class; `days` None means for ever."""

    name: str
    days: int | None


CLASS = Query(
    select(RETENTION_CLASSES.c.name, RETENTION_CLASSES.c.days).where(RETENTION_CLASSES.c.name == bindparam("name")),
    ClassRow,
)
OF_PACKAGE = Query(
    select(
        RETENTION_STATE.c.retention_class,
        RETENTION_STATE.c.since,
        RETENTION_STATE.c.expires_at,
        RETENTION_STATE.c.state,
    ).where(
        RETENTION_STATE.c.repository == bindparam("repository"),
        RETENTION_STATE.c.package_address == bindparam("address"),
    ),
    RetentionRow,
)

_SEED = Statement(RETENTION_CLASSES.insert())
_INSERT = Statement(RETENTION_STATE.insert())
_DELETE = Statement(
    RETENTION_STATE.delete().where(
        RETENTION_STATE.c.repository == bindparam("in_repository"),
        RETENTION_STATE.c.package_address == bindparam("address"),
    )
)
_EMPTY = emptied(RETENTION_STATE)


class Retention(Derived):
    """A package is `live` from its finalization; its expiry follows from its class and the log time."""

    tables = (RETENTION_CLASSES, RETENTION_STATE)

    def seed(self, session: Session) -> None:
        session.run_many(_SEED, SEED)

    def apply(self, event: Event, fact: Fact, session: Session) -> None:
        match fact:
            case PackageFinalized():
                session.run(_INSERT, **_state(event, fact, session))
            case ManifestDeleted():
                session.run(_DELETE, in_repository=fact.repository, address=str(fact.address))
            case RepositoryDeleted():
                session.run(_EMPTY, repository=fact.repository)
            case _:
                pass


def _state(event: Event, fact: PackageFinalized, session: Session) -> dict[str, object]:
    name = fact.value["retention_summary"].get("class", DEFAULT_CLASS)
    chosen = session.one(CLASS, name=name)
    days = chosen.days if chosen else None
    return {
        "repository": fact.repository,
        "package_address": session.one(STORED_AT, repository=fact.repository, sequence=event.sequence - 1),
        "retention_class": name,
        "since": event.time,
        "expires_at": None if days is None else event.time + days * MICROSECONDS_A_DAY,
        "state": "live",
    }
