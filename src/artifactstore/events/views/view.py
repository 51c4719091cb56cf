"""What a view is: tables that follow from the log alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy import Table, bindparam

from artifactstore.events.database import Session, Statement
from artifactstore.events.model import Event, Fact


class View(Protocol):
    """One derived table (or a few that change together): how a fact changes it.

    `apply` must depend on the fact, the event and the views' rows only, never on a clock or a random value, so that
    replaying a log gives byte-identical rows.
    """

    @property
    def tables(self) -> Sequence[Table]:
        """The tables, to be dropped and rebuilt as a whole."""
        ...

    def apply(self, event: Event, fact: Fact, session: Session) -> None:
        """Make the view say what is true after `fact`. Facts that do not concern it change nothing."""
        ...

    def seed(self, session: Session) -> None:
        """Rows that are there before the first fact."""
        ...


class ViewWriter(Protocol):
    """Where facts are applied, live or in a replay: the same code for both."""

    def reset(self) -> None:
        """Empty every view and put back its seed."""
        ...

    def apply(self, event: Event, fact: Fact) -> None:
        """Apply one fact to every view, in order."""
        ...


class Derived:
    """A view without rows of its own before the first fact; base of most."""

    tables: Sequence[Table] = ()

    def seed(self, session: Session) -> None:
        """Nothing."""


class SqlViews:
    """The ViewWriter of a database: every view, inside the transaction of `session`."""

    def __init__(self, views: Sequence[View], session: Session) -> None:
        self._views = views
        self._session = session

    def reset(self) -> None:
        for view in self._views:
            for table in view.tables:
                self._session.run(Statement(sa.delete(table)))
            view.seed(self._session)

    def apply(self, event: Event, fact: Fact) -> None:
        for view in self._views:
            view.apply(event, fact, self._session)


def emptied(table: Table) -> Statement:
    """Delete every row of one repository."""
    return Statement(table.delete().where(table.c.repository == bindparam("repository")))


def json_text(value: object) -> str:
    """JSON as views keep it: sorted keys and no spaces, so that a replay writes the same bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
