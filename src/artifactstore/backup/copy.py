"""The copy of a store from one place to another: snapshot, proof, objects, and the database last."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from artifactstore.backup import snapshot
from artifactstore.backup.objects import ObjectCopy, names_of
from artifactstore.backup.place import Place, refuse_same
from artifactstore.backup.report import CopyReport, Damage
from artifactstore.backup.snapshot import Admit, Proof
from artifactstore.errors import DirectoryOccupied, LogRewound
from artifactstore.events import migrate
from artifactstore.events.database import Session, SqliteDatabase
from artifactstore.events.recording import HEAD
from artifactstore.events.replay import Progress


class Stage(Protocol):
    """Called with what begins now; inside of the context its Progress is told how far that is."""

    def __call__(self, what: str, *, in_bytes: bool = False) -> AbstractContextManager[Progress]: ...


@contextmanager
def silent(what: str, *, in_bytes: bool = False) -> Iterator[Progress]:
    """A Stage that tells nobody."""
    yield lambda done, total: None


def backup(source: Place, target: Place, *, thorough: bool = False, stage: Stage = silent) -> CopyReport:
    """Copy a store, served or not, to a directory that is empty or holds an earlier backup of it.

    On return the backup is durable; until then the earlier one is whole. What is damaged at the source is left out and
    in the report. `thorough`: read what is there already again, and compare every view with the log. It blocks; SIGINT
    and any failure leave what was copied, and a later call goes on from there. Raises DirectoryOccupied, LogRewound
    when the earlier backup has events that this log has not, LogCorrupt, SchemaUnsupported, BackendUnavailable.
    """
    return _copy(source, target, _continues, thorough, stage)


def restore(source: Place, target: Place, *, stage: Stage = silent) -> CopyReport:
    """Copy a backup to where no store is yet; as `backup`, and always thorough."""
    if target.has_database():
        raise DirectoryOccupied(f"there is a store at {target.database} already: move it away first")
    return _copy(source, target, _is_alone, True, stage)


def _copy(source: Place, target: Place, admit: Admit, thorough: bool, stage: Stage) -> CopyReport:
    refuse_same(source, target)
    target.refuse_foreign()
    with target.locked():
        target.discard_partial()
        try:
            proof = _snapshot(source, target, admit, thorough, stage)
            done, damaged = _objects(source, target, thorough, stage)
            snapshot.install(target, admit)
        finally:
            target.discard_partial()
    return CopyReport(
        log_id=proof.head.log_id,
        sequence=proof.head.sequence,
        leaf_hash=proof.leaf_hash.hex(),
        objects=done.objects,
        bytes=done.bytes,
        copied=done.copied,
        copied_bytes=done.copied_bytes,
        present=done.present,
        replaced=done.replaced,
        damaged=damaged,
        differences=proof.differences,
    )


def _snapshot(source: Place, target: Place, admit: Admit, thorough: bool, stage: Stage) -> Proof:
    """The database in its partial file, proved, and alone there."""
    with stage("copying the database") as progress:
        head = snapshot.take(source, target.partial, progress)
    with snapshot.admitted(target, admit):
        pass  # an early refusal; the one that counts is that of `install`
    made = SqliteDatabase(target.partial, full_sync=False)
    migrate.require_current(made)
    with stage("checking the log") as progress:
        proof = snapshot.prove(made, head, progress, thorough=thorough)
    with snapshot.held(target.partial):
        return proof


def _objects(source: Place, target: Place, thorough: bool, stage: Stage) -> tuple[ObjectCopy, tuple[Damage, ...]]:
    with (
        snapshot.reading(target.partial) as session,
        source.open_objects() as here,
        target.open_objects() as there,
        stage("copying objects", in_bytes=True) as progress,
    ):
        done = ObjectCopy(session, here, there, thorough, progress)
        asyncio.run(done.run())
        names = names_of(session, (row.content_address for row in done.problems))
        found = ((row.content_address, row.size, problem) for row, problem in done.problems.items())
        return done, tuple(Damage(*damage, names[damage[0]]) for damage in found)


def _continues(earlier: Session | None, ours: Session) -> None:
    """A backup takes the place of an earlier one of the same log, all of whose events it has."""
    if earlier is None:
        return
    head, now = earlier.one(HEAD), ours.one(HEAD)
    assert now is not None, "what was copied has a log"
    if head is None or head.log_id != now.log_id:
        raise LogRewound(
            "the backup there is of another log: back up to another directory",
            detail={"there": head.log_id if head else None, "log_id": now.log_id},
        )
    if earlier.one(snapshot.LEAF, sequence=head.sequence) != ours.one(snapshot.LEAF, sequence=head.sequence):
        raise LogRewound(
            "the backup there has events that this log has not: this store was restored from an older one, or that one "
            "was written to. Back up to another directory",
            detail={"there": head.sequence, "head": now.sequence},
        )


def _is_alone(earlier: Session | None, ours: Session) -> None:
    if earlier is not None:
        raise DirectoryOccupied("a store was made there in the meantime: move it away first")
