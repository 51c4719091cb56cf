"""Alembic's entry: run the migrations on the database that `artifactstore migrate` names.

The whole upgrade is one transaction that begins by taking SQLite's write lock, so that of two processes which start at
once one migrates and the other finds the work done.
"""

from alembic import context
from sqlalchemy import Connection, create_engine, event, pool

from artifactstore.events.schema import METADATA

engine = create_engine(context.config.get_main_option("sqlalchemy.url") or "", poolclass=pool.NullPool)


@event.listens_for(engine, "connect")
def _no_implicit_begin(connection, _record) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA busy_timeout=30000")


@event.listens_for(engine, "begin")
def _take_the_write_lock(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=METADATA, transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
