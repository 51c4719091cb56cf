"""`tag_history`: everything a tag ever named, and when it stopped (distribution-spec PR #606 asks for it)."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Column, Table, bindparam, literal, select

from artifactstore.events.database import Query, Session, Statement
from artifactstore.events.model import Event, Fact, ManifestDeleted, RepositoryDeleted, TagDeleted, TagMoved
from artifactstore.events.schema import BIG, METADATA, TEXT, insert_new
from artifactstore.events.views.tags import TAGS
from artifactstore.events.views.view import Derived

TAG_HISTORY = Table(
    "tag_history",
    METADATA,
    Column("repository", TEXT, primary_key=True),
    Column("tag", TEXT, primary_key=True),
    Column("sequence", BIG, primary_key=True),
    Column("event", TEXT, nullable=False),
    Column("content_address", TEXT, nullable=False),
    Column("digest", TEXT, nullable=False),
    Column("time", BIG, nullable=False),
)


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """A tag `created` (or moved) or `deleted` at a sequence and log time (µs since 1970 UTC), and what it named."""

    sequence: int
    event: str
    content_address: str
    digest: str
    time: int


_OF_TAG = (
    select(
        TAG_HISTORY.c.sequence,
        TAG_HISTORY.c.event,
        TAG_HISTORY.c.content_address,
        TAG_HISTORY.c.digest,
        TAG_HISTORY.c.time,
    )
    .where(
        TAG_HISTORY.c.repository == bindparam("repository"),
        TAG_HISTORY.c.tag == bindparam("tag"),
        TAG_HISTORY.c.sequence < bindparam("before"),
        TAG_HISTORY.c.time < bindparam("earlier_than"),
        TAG_HISTORY.c.time >= bindparam("since"),
    )
    .order_by(TAG_HISTORY.c.sequence.desc())
    .limit(bindparam("limit"))
)

OF_TAG = Query(_OF_TAG, HistoryRow)
"""A tag's history below the sequence `before`, within log times, newest first."""

OF_TAG_NAMING = Query(_OF_TAG.where(TAG_HISTORY.c.content_address == bindparam("address")), HistoryRow)
"""The part of it in which the tag named one object."""

_INSERT = Statement(insert_new(TAG_HISTORY))


def _ending(*conditions: sa.ColumnElement[bool]) -> Statement:
    """Record the end of the tags that meet the conditions, from what they name now."""
    ended = select(
        TAGS.c.repository,
        TAGS.c.tag,
        bindparam("sequence", type_=BIG),
        literal("deleted"),
        TAGS.c.content_address,
        TAGS.c.digest,
        bindparam("time", type_=BIG),
    ).where(TAGS.c.repository == bindparam("repository"), *conditions)
    return Statement(TAG_HISTORY.insert().from_select([column.name for column in TAG_HISTORY.columns], ended))


_END_TAG = _ending(TAGS.c.tag == bindparam("name"))
_END_TAGS_OF = _ending(TAGS.c.content_address == bindparam("address"))
_END_EVERY_TAG = _ending()


class TagHistory(Derived):
    """One row for each change of a tag, also for those that went with their manifest or repository."""

    tables = (TAG_HISTORY,)

    def apply(self, event: Event, fact: Fact, session: Session) -> None:
        at = {"sequence": event.sequence, "time": event.time}
        match fact:
            case TagMoved():
                session.run(
                    _INSERT,
                    repository=fact.repository,
                    tag=fact.tag,
                    event="created",
                    content_address=str(fact.address),
                    digest=str(fact.digest),
                    **at,
                )
            case TagDeleted():
                session.run(_END_TAG, repository=fact.repository, name=fact.tag, **at)
            case ManifestDeleted():
                session.run(_END_TAGS_OF, repository=fact.repository, address=str(fact.address), **at)
            case RepositoryDeleted():
                session.run(_END_EVERY_TAG, repository=fact.repository, **at)
            case _:
                pass
