"""Every query that answers a request walks an index: none reads a whole table, none sorts what it found."""

from __future__ import annotations

import importlib
import itertools
import pkgutil
import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import fields
from typing import Any

import pytest

from artifactstore.bootstrap import open_database
from artifactstore.events import recording, sql_log, views, working
from artifactstore.events.database import Statement
from artifactstore.events.views.package_lists import PackageFilter, page
from tests.stores import fresh_config

ALLOWED = {
    "sql_log.ALL": "a replay reads the whole log",
    "working.UPLOADS_OF": "reads the open uploads, of which there is a bounded number, when a repository is deleted",
    "working.OPEN_UPLOADS": "counts the open uploads, of which there is a bounded number, in an index",
}
"""Query -> why it may read a whole table."""

_WHOLE = re.compile(r"\bSCAN\b|TEMP B-TREE")
_PARAMETER = re.compile(r":(\w+)")


def statements() -> Iterator[tuple[str, Statement]]:
    """Each query and statement of the log, the views and the working state, by name; and each list of packages."""
    found = [
        importlib.import_module(f"{views.__name__}.{module.name}") for module in pkgutil.iter_modules(views.__path__)
    ]
    for module in (*found, working, recording, sql_log):
        for name, value in vars(module).items():
            if isinstance(value, Statement):
                yield f"{module.__name__.rpartition('.')[2]}.{name}", value
    names = [field.name for field in fields(PackageFilter)]
    for values in itertools.product((False, True), repeat=len(names)):
        chosen = PackageFilter(**dict(zip(names, values, strict=True)))
        if not (chosen.digest and chosen.manifest_digest):
            yield f"page({', '.join(itertools.compress(names, values))})", page(chosen)


STATEMENTS = dict(statements())


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """An empty, migrated database."""
    database = open_database(fresh_config(tmp_path_factory.mktemp("plans") / "store"))
    with closing(database.connect()) as opened:
        yield opened


def plan_of(connection: sqlite3.Connection, statement: Statement) -> list[str]:
    """The steps that SQLite takes, in words."""
    sql, constants = statement.sqlite
    values: Mapping[str, Any] = {**dict.fromkeys(_PARAMETER.findall(sql), 1), **constants}
    return [words for *_, words in connection.execute(f"EXPLAIN QUERY PLAN {sql}", values)]


@pytest.mark.parametrize("name", sorted(STATEMENTS.keys() - ALLOWED.keys()))
def test_no_statement_reads_a_whole_table(name: str, connection: sqlite3.Connection) -> None:
    """The statement finds its rows, in their order, by an index."""
    whole = [words for words in plan_of(connection, STATEMENTS[name]) if _WHOLE.search(words)]
    assert not whole, f"{name}: {whole}"


def test_every_exception_is_needed(connection: sqlite3.Connection) -> None:
    """What is excused from the rule would break it."""
    for name in ALLOWED:
        assert any(_WHOLE.search(words) for words in plan_of(connection, STATEMENTS[name])), name


def test_lists_of_packages_walk_their_narrowest_index(connection: sqlite3.Connection) -> None:
    """A list of packages by several conditions is found by all of them at once, not by one and then filtered."""
    narrowest = {
        "page()": "artifact_packages_by_role",
        "page(attachments)": "artifact_packages_by_member",
        "page(members, attachments)": "artifact_packages_by_member",
        "page(kind, attachments)": "artifact_packages_by_kind",
        "page(kind, members, attachments)": "artifact_packages_by_kind",
        "page(repository)": "artifact_packages_by_repository_role",
        "page(repository, kind, attachments)": "artifact_packages_by_repository_kind",
        "page(repository, tag, members, attachments)": "sqlite_autoindex_tags_1 (repository=? AND tag=?)",
        "page(tag, members, attachments)": "tags_by_name (tag=? AND package_sequence<?)",
    }
    for name, index in narrowest.items():
        assert any(index in words for words in plan_of(connection, STATEMENTS[name])), name
