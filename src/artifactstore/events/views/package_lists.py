"""Lists of packages: for each choice of conditions one query, which walks an index in the order of its answer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import sqlalchemy as sa
from sqlalchemy import bindparam, select

from artifactstore.events.database import Query
from artifactstore.events.views.objects import OBJECT_DIGESTS
from artifactstore.events.views.packages import ARTIFACT_PACKAGES, OF_DIGEST, OF_TAG, PackageRow
from artifactstore.events.views.tags import TAGS

_COLUMNS = ARTIFACT_PACKAGES.c


@dataclass(frozen=True, slots=True)
class PackageFilter:
    """Which conditions a list of packages has; the values come with the query."""

    repository: bool = False
    tag: bool = False
    digest: bool = False
    manifest_digest: bool = False
    kind: bool = False
    members: bool = False
    attachments: bool = False

    @property
    def is_narrow(self) -> bool:
        """Whether few packages can meet the conditions: those of one tag or one digest."""
        return self.tag or self.digest or self.manifest_digest


@cache
def page(chosen: PackageFilter) -> Query[PackageRow]:
    """Packages that meet the chosen conditions, newest first, below the sequence `before`.

    Children of an index, and signatures, attestations and SBOMs, are left out unless `members` and `attachments`. The
    indexes of long lists keep children apart, so a list with them is the merge of one without and one of them alone.
    """
    sequence = TAGS.c.package_sequence if chosen.tag else _COLUMNS.stored_sequence
    statement = _selected(chosen, sequence)
    if not chosen.members:
        statement = statement.where(_COLUMNS.is_member == 0)
    elif not chosen.is_narrow:
        others, members = (statement.where(_COLUMNS.is_member == value) for value in (0, 1))
        merged = sa.union_all(others, members)
        return _limited(merged.order_by(merged.selected_columns.stored_sequence.desc()))
    return _limited(statement.order_by(sequence.desc()))


def _selected(chosen: PackageFilter, sequence: sa.ColumnElement[int]) -> sa.Select[tuple[object, ...]]:
    """The packages, whether members or not."""
    statement = select(ARTIFACT_PACKAGES).where(sequence < bindparam("before"))
    if chosen.repository:
        statement = statement.where(_COLUMNS.repository == bindparam("repository"))
    if chosen.repository and chosen.tag:
        statement = statement.where(TAGS.c.repository == bindparam("repository"))
    if chosen.kind:
        statement = statement.where(_COLUMNS.kind == bindparam("kind"))
    if chosen.manifest_digest:
        statement = statement.where(_COLUMNS.manifest_digest == bindparam("manifest_digest"))
    if chosen.tag:
        statement = statement.join(TAGS, OF_TAG)
    if chosen.digest:
        statement = statement.join(OBJECT_DIGESTS, OF_DIGEST)
    if not chosen.attachments:
        statement = statement.where(_COLUMNS.role == "package")
    return statement


def _limited(statement: sa.GenerativeSelect) -> Query[PackageRow]:
    return Query(statement.limit(bindparam("limit")), PackageRow)
