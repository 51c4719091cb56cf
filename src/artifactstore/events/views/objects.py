"""`storage_locations` and `object_digests`: which objects facts name, where they lie, and their known digests."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table, bindparam, select

from artifactstore.events.database import Query, Session, Statement
from artifactstore.events.facts import LocationRow
from artifactstore.events.model import BlobLinked, Event, Fact, ManifestStored
from artifactstore.events.schema import BIG, METADATA, TEXT, insert_new
from artifactstore.events.views.view import Derived

STORAGE_LOCATIONS = Table(
    "storage_locations",
    METADATA,
    Column("content_address", TEXT, primary_key=True),
    Column("backend_id", TEXT, primary_key=True),
    Column("size", BIG, nullable=False),
    Column("stored_sequence", BIG, nullable=False),
    Column("retrieval_tier", TEXT, nullable=True, server_default="hot"),
    Column("restore_status", TEXT, nullable=True),
)

OBJECT_DIGESTS = Table(
    "object_digests",
    METADATA,
    Column("digest", TEXT, primary_key=True),
    Column("content_address", TEXT, nullable=False),
    Index("object_digests_by_address", "content_address", "digest"),
)


ADDRESS_OF: Query[str] = Query(
    select(OBJECT_DIGESTS.c.content_address).where(OBJECT_DIGESTS.c.digest == bindparam("digest")), str
)
"""The object that any known digest names."""

DIGESTS_OF: Query[str] = Query(
    select(OBJECT_DIGESTS.c.digest)
    .where(OBJECT_DIGESTS.c.content_address == bindparam("address"))
    .order_by(OBJECT_DIGESTS.c.digest),
    str,
)
"""Every known digest of an object, as text."""

LOCATION = Query(
    select(STORAGE_LOCATIONS.c.content_address, STORAGE_LOCATIONS.c.backend_id, STORAGE_LOCATIONS.c.size).where(
        STORAGE_LOCATIONS.c.content_address == bindparam("address")
    ),
    LocationRow,
)
"""Any place where an object lies; no row means that no fact names it."""

LOCATIONS = Query(
    select(STORAGE_LOCATIONS.c.content_address, STORAGE_LOCATIONS.c.backend_id, STORAGE_LOCATIONS.c.size)
    .where(STORAGE_LOCATIONS.c.content_address > bindparam("after"))
    .order_by(STORAGE_LOCATIONS.c.content_address)
    .limit(bindparam("limit")),
    LocationRow,
)
"""Objects in order of address, for audits."""

_LOCATE = Statement(insert_new(STORAGE_LOCATIONS))
_DIGEST = Statement(insert_new(OBJECT_DIGESTS))


class Objects(Derived):
    """An object is known from the first fact that names it; it learns digests and never forgets one."""

    tables = (STORAGE_LOCATIONS, OBJECT_DIGESTS)

    def apply(self, event: Event, fact: Fact, session: Session) -> None:
        if not isinstance(fact, BlobLinked | ManifestStored):
            return
        address = str(fact.object.address)
        session.run(
            _LOCATE,
            content_address=address,
            backend_id=fact.object.backend_id,
            size=fact.object.size,
            stored_sequence=event.sequence,
            retrieval_tier="hot",
            restore_status=None,
        )
        session.run_many(
            _DIGEST, ({"digest": str(digest), "content_address": address} for digest in fact.object.digests.values())
        )
