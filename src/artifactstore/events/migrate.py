"""Bringing a database to this program's schema, and refusing one that this program does not know."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from importlib.resources import files
from pathlib import Path

from artifactstore.errors import SchemaUnsupported
from artifactstore.events.database import SqliteDatabase, translated
from artifactstore.events.schema import KNOWN_REVISIONS, SCHEMA_REVISION


def revision_of(database: SqliteDatabase) -> str | None:
    """The migration a database is at; None when it is empty."""
    with translated(), closing(database.open()) as connection:
        try:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.OperationalError as error:
            if "no such table" not in str(error):
                raise
            return None
    return None if row is None else str(row[0])


def require_current(database: SqliteDatabase) -> None:
    """Raises SchemaUnsupported unless the database is at exactly this program's schema."""
    found = revision_of(database)
    if found == SCHEMA_REVISION:
        return
    refuse_newer(found)
    raise SchemaUnsupported(
        f"the database has schema {found or 'none'}, this program needs {SCHEMA_REVISION}: run `artifactstore migrate`",
        detail={"found": found, "needed": SCHEMA_REVISION},
    )


def refuse_newer(found: str | None) -> None:
    """Raises SchemaUnsupported for a schema that a newer program made."""
    if found is not None and found not in KNOWN_REVISIONS:
        raise SchemaUnsupported(
            f"the database has schema {found}, which this program does not know: a newer version made it",
            detail={"found": found, "known": list(KNOWN_REVISIONS)},
        )


def upgrade(database: SqliteDatabase) -> tuple[str | None, str]:
    """Run the migrations that are missing; returns the revision before and after.

    Raises SchemaUnsupported, ReadOnly; BackendUnavailable, as on a full disk.
    """
    found = revision_of(database)
    refuse_newer(found)
    if found != SCHEMA_REVISION:
        database.admit_changes()
        _run_alembic(database)
    return found, SCHEMA_REVISION


def migrations_directory() -> str:
    """Where Alembic's scripts lie: in the installed package, or at the top of a source checkout."""
    package = Path(str(files("artifactstore")))
    for candidate in (package / "migrations", package.parent.parent / "migrations"):
        if (candidate / "env.py").is_file():
            return str(candidate)
    raise SchemaUnsupported("the migrations are not installed with this program")


def _run_alembic(database: SqliteDatabase) -> None:
    from alembic import command  # imported when needed: it costs more than a start that has nothing to migrate
    from alembic.config import Config
    from sqlalchemy.exc import DBAPIError

    config = Config()
    config.set_main_option("script_location", migrations_directory())
    config.set_main_option("sqlalchemy.url", f"sqlite:///{database.path}".replace("%", "%%"))
    try:
        command.upgrade(config, "head")
    except DBAPIError as error:
        if error.orig is None:
            raise
        with translated():
            raise error.orig from None
