"""Migrations make exactly what the code defines, and a database of another program version is refused."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path

import alembic.command
import alembic.config
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from artifactstore.bootstrap import open_registry
from artifactstore.config import Config
from artifactstore.errors import SchemaUnsupported
from artifactstore.events import migrate, replay, working
from artifactstore.events.database import SqliteDatabase
from artifactstore.events.schema import KNOWN_REVISIONS, METADATA, SCHEMA_REVISION
from artifactstore.events.views import VIEWS
from artifactstore.events.views.retention import RETENTION_CLASSES, SEED
from tests.stores import INDEX, fresh_config, fresh_registry, image, index, push_blob, push_manifest, sha256


def test_migrations_make_what_is_defined(tmp_path: Path) -> None:
    """After all migrations the database has the tables, columns and indexes that the code defines, and no others."""
    assert working.UPLOAD_SESSIONS.metadata is METADATA
    database = SqliteDatabase(str(tmp_path / "db.sqlite"))
    migrate.upgrade(database)
    engine = sa.create_engine(f"sqlite:///{database.path}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, METADATA) == []
        rows = connection.execute(sa.select(RETENTION_CLASSES).order_by(RETENTION_CLASSES.c.rank)).mappings()
        assert [dict(row) for row in rows] == list(SEED)
    engine.dispose()


def test_every_table_is_a_view_or_named_otherwise() -> None:
    """Each table is derived by a view, part of the log, or working state: nothing is left without an owner."""
    derived = {table.name for view in VIEWS for table in view.tables}
    assert derived | {"events", "log_head", "upload_sessions"} == set(METADATA.tables)


def test_revision_is_the_newest_shipped() -> None:
    """The revision that the program asks for is the last of the migrations that it ships."""
    scripts = ScriptDirectory(migrate.migrations_directory())
    assert scripts.get_current_head() == SCHEMA_REVISION == KNOWN_REVISIONS[-1]
    assert {script.revision for script in scripts.walk_revisions()} == set(KNOWN_REVISIONS)


def test_migrating_again_changes_nothing(tmp_path: Path) -> None:
    """A second migration finds the work done."""
    database = SqliteDatabase(str(tmp_path / "db.sqlite"))
    assert migrate.upgrade(database) == (None, SCHEMA_REVISION)
    assert migrate.upgrade(database) == (SCHEMA_REVISION, SCHEMA_REVISION)


def test_several_may_migrate_at_once(tmp_path: Path) -> None:
    """Processes that start together on an empty database all find it migrated."""
    path = str(tmp_path / "db.sqlite")
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as pool:
        found = list(pool.map(migrate_one, [path] * 3))
    assert SCHEMA_REVISION in {after for _, after in found}
    migrate.require_current(SqliteDatabase(path))


def migrate_one(path: str) -> tuple[str | None, str]:
    """What one of the processes does."""
    return migrate.upgrade(SqliteDatabase(path))


@pytest.mark.parametrize(("revision", "word"), [("9999", "newer"), (None, "artifactstore migrate")])
def test_other_schemas_are_refused(tmp_path: Path, revision: str | None, word: str) -> None:
    """A newer schema is refused by every opening, an empty one by all that do not migrate; nothing is written."""
    config = Config(data=str(tmp_path))
    if revision:
        with closing(sqlite3.connect(config.sqlite_path)) as connection, connection:
            connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
            connection.execute("INSERT INTO alembic_version VALUES (?)", (revision,))
    with pytest.raises(SchemaUnsupported, match=word):
        open_registry(config, create=revision is not None)
    assert not Path(config.local_root).exists()


async def test_an_older_store_is_migrated_to_what_its_log_says(tmp_path: Path) -> None:
    """A store that each earlier version could have left has, once migrated, the views that a replay makes."""
    registry = fresh_registry(tmp_path / "now", unsafe_no_sync=True)
    members = [image([], annotations={"member": str(number)}) for number in range(3)]
    for name in ("acme/one", "acme/two"):
        await push_blob(registry, name, b"{}")
        await push_blob(registry, name, b"another")
        for member in members:
            await push_manifest(registry, name, str(sha256(member)), member)
    await push_manifest(registry, "acme/one", "all", index(members[:2]), INDEX)
    await registry.close()
    now = fresh_config(tmp_path / "now").sqlite_path
    for revision in KNOWN_REVISIONS[:-1]:
        older = SqliteDatabase(str(tmp_path / f"{revision}.sqlite"))
        copy_as_of(revision, now, older)
        assert migrate.upgrade(older) == (revision, SCHEMA_REVISION)
        assert replay.check(older).differences == ()


def copy_as_of(revision: str, source: str, target: SqliteDatabase) -> None:
    """Make a database with an earlier schema, and copy into it what that has of the rows of `source`."""
    config = alembic.config.Config()
    config.set_main_option("script_location", migrate.migrations_directory())
    config.set_main_option("sqlalchemy.url", f"sqlite:///{target.path}")
    alembic.command.upgrade(config, revision)
    with closing(target.connect()) as connection:
        connection.execute("ATTACH ? AS source", (source,))
        tables = connection.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            columns = ", ".join(row[1] for row in connection.execute(f"PRAGMA main.table_info({table})"))
            if table != "alembic_version":
                connection.execute(f"DELETE FROM main.{table}")
                connection.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM source.{table}")
