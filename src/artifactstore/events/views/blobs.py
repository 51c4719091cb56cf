"""`repository_blobs`: which objects each repository holds as blobs."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table, and_, bindparam, select

from artifactstore.events.database import Query, Session, Statement
from artifactstore.events.facts import BlobRow
from artifactstore.events.model import BlobLinked, BlobUnlinked, Event, Fact, RepositoryDeleted
from artifactstore.events.schema import BIG, METADATA, TEXT, insert_new
from artifactstore.events.views.objects import OBJECT_DIGESTS
from artifactstore.events.views.view import Derived, emptied

REPOSITORY_BLOBS = Table(
    "repository_blobs",
    METADATA,
    Column("repository", TEXT, primary_key=True),
    Column("content_address", TEXT, primary_key=True),
    Column("size", BIG, nullable=False),
    Column("linked_sequence", BIG, nullable=False),
    Column("linked_at", BIG, nullable=False),
    Index("repository_blobs_by_address", "content_address", "repository"),
)


_BLOB = select(REPOSITORY_BLOBS.c.content_address, REPOSITORY_BLOBS.c.size)
_IN_REPOSITORY = REPOSITORY_BLOBS.c.repository == bindparam("repository")

BY_DIGEST = Query(
    _BLOB.join(
        OBJECT_DIGESTS,
        and_(
            OBJECT_DIGESTS.c.digest == bindparam("digest"),
            OBJECT_DIGESTS.c.content_address == REPOSITORY_BLOBS.c.content_address,
        ),
    ).where(_IN_REPOSITORY),
    BlobRow,
)
"""A repository's blob by any known digest."""

BY_ADDRESS = Query(_BLOB.where(_IN_REPOSITORY, REPOSITORY_BLOBS.c.content_address == bindparam("address")), BlobRow)

HOLDER: Query[str] = Query(
    select(REPOSITORY_BLOBS.c.repository)
    .where(REPOSITORY_BLOBS.c.content_address == bindparam("address"))
    .order_by(REPOSITORY_BLOBS.c.repository)
    .limit(1),
    str,
)
"""Some repository that holds an object as a blob: the source of an anonymous mount."""

_LINK = Statement(insert_new(REPOSITORY_BLOBS))
_UNLINK = Statement(
    REPOSITORY_BLOBS.delete().where(_IN_REPOSITORY, REPOSITORY_BLOBS.c.content_address == bindparam("address"))
)
_EMPTY = emptied(REPOSITORY_BLOBS)


class Blobs(Derived):
    """A link per repository over the shared objects."""

    tables = (REPOSITORY_BLOBS,)

    def apply(self, event: Event, fact: Fact, session: Session) -> None:
        match fact:
            case BlobLinked():
                session.run(
                    _LINK,
                    repository=fact.repository,
                    content_address=str(fact.object.address),
                    size=fact.object.size,
                    linked_sequence=event.sequence,
                    linked_at=event.time,
                )
            case BlobUnlinked():
                session.run(_UNLINK, repository=fact.repository, address=str(fact.address))
            case RepositoryDeleted():
                session.run(_EMPTY, repository=fact.repository)
            case _:
                pass
