"""Recording decisions in one transaction: sequence, time and leaf hash are given, the views follow."""

from __future__ import annotations

import secrets

from sqlalchemy import bindparam, select

from artifactstore.events import codec
from artifactstore.events.database import Query, Session, Statement
from artifactstore.events.log import Appended, Clock, Decide, Head
from artifactstore.events.model import Draft, Event, LogCreated
from artifactstore.events.schema import EVENTS, LOG_HEAD
from artifactstore.events.sql_facts import SqlFacts, change_working
from artifactstore.events.views import VIEWS, SqlViews
from artifactstore.identity.actor import SYSTEM

HEAD = Query(select(LOG_HEAD.c.log_id, LOG_HEAD.c.sequence, LOG_HEAD.c.time).where(LOG_HEAD.c.id == 1), Head)
_COLUMNS = tuple(column.name for column in EVENTS.columns)
_INSERT = Statement(EVENTS.insert())
_NEW_HEAD = Statement(LOG_HEAD.insert())
_MOVE_HEAD = Statement(
    LOG_HEAD.update()
    .where(LOG_HEAD.c.id == 1)
    .values(sequence=bindparam("new_sequence"), time=bindparam("new_time"), batch_id=bindparam("new_batch"))
)


class Recorder:
    """Records decisions inside one transaction; knows where the log stands in it."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self.session = session
        self._views = SqlViews(VIEWS, session)
        self._clock = clock
        head = session.one(HEAD)
        self._log_exists = head is not None
        self.sequence, self.time = (head.sequence, head.time) if head else (0, 0)

    def create_log(self) -> None:
        """Begin the log with event 1, unless it has begun."""
        if self._log_exists:
            return
        log_id = secrets.token_hex(16)
        self.session.run(_NEW_HEAD, id=1, log_id=log_id, sequence=0, time=0, batch_id="")
        created = codec.draft(LogCreated(log_id, codec.ENVELOPE_VERSION))
        self._record(created, SYSTEM.actor, self._clock())
        self.move_head()

    def run(self, actor: str, decide: Decide) -> Appended:
        """Decide and record one request. What it raises leaves the transaction to be rolled back to before it.

        The decision gets the present time: how old something is does not depend on a clock that was once ahead.
        """
        now = self._clock()
        decision = decide(SqlFacts(self.session), now)
        time = max(self.time, now)
        events = tuple(self._record(drafted, actor, time) for drafted in decision.facts)
        for change in decision.working:
            change_working(self.session, change)
        return Appended(events, decision.answer)

    def move_head(self) -> None:
        """Write where the log ends now; `batch_id` lets a commit whose answer was lost be recognised."""
        self.session.run(_MOVE_HEAD, new_sequence=self.sequence, new_time=self.time, new_batch=secrets.token_hex(8))

    def _record(self, drafted: Draft, actor: str, time: int) -> Event:
        event = codec.seal(drafted, sequence=self.sequence + 1, time=time, actor=actor)
        self.session.run(_INSERT, **{name: getattr(event, name) for name in _COLUMNS})
        self._views.apply(event, drafted.fact)
        self.sequence, self.time = event.sequence, event.time
        return event
