"""Working state: rows that are neither facts nor views. They are backed up with the database and not replayed."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table, bindparam, func, select

from artifactstore.events.database import Query, Statement
from artifactstore.events.facts import UploadRow
from artifactstore.events.schema import BIG, METADATA, TEXT

UPLOAD_SESSIONS = Table(
    "upload_sessions",
    METADATA,
    Column("upload_id", TEXT, primary_key=True),
    Column("repository", TEXT, nullable=False),
    Column("actor", TEXT, nullable=False),
    Column("algorithm", TEXT, nullable=True),
    Column("created_at", BIG, nullable=False),
    Index("upload_sessions_by_age", "created_at"),
)
"""Working state: an upload that was answered 202 and not finished. Its staged bytes tell how far it came."""


UPLOAD = Query(select(UPLOAD_SESSIONS).where(UPLOAD_SESSIONS.c.upload_id == bindparam("upload_id")), UploadRow)
OPEN_UPLOADS: Query[int] = Query(select(func.count()).select_from(UPLOAD_SESSIONS), int)
UPLOADS_BEFORE = Query(select(UPLOAD_SESSIONS).where(UPLOAD_SESSIONS.c.created_at < bindparam("before")), UploadRow)
"""Uploads opened before a moment."""

UPLOADS_OF: Query[str] = Query(
    select(UPLOAD_SESSIONS.c.upload_id).where(UPLOAD_SESSIONS.c.repository == bindparam("repository")), str
)
"""A repository's uploads."""

OPEN_UPLOAD = Statement(UPLOAD_SESSIONS.insert())
FORGET_UPLOAD = Statement(UPLOAD_SESSIONS.delete().where(UPLOAD_SESSIONS.c.upload_id == bindparam("id")))
