"""A store that a newer version made: everything refuses it, and leaves it as it is."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import cast

import click
import pytest
import typer
from typer.testing import CliRunner

import artifactstore
from artifactstore.api.http import server
from artifactstore.bootstrap import open_registry
from artifactstore.cli.errors import Exit
from artifactstore.cli.main import app
from artifactstore.config import Config
from artifactstore.errors import SchemaUnsupported
from tests.stores import fresh_registry, push_image

BACKUP = "BACKUP"
"""Stands for the newer store, where a command takes it as a backup."""

ARGUMENTS = {
    "import": ("--from", "http://127.0.0.1:9/a:v1"),
    "restore": (BACKUP,),
    "rm": ("a:v1", "--yes"),
    "tag": ("a:v1", "v2"),
}
"""What a command cannot do without, where that is more than the name of a package."""


def commands(group: click.Group, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command that works on a data directory, with what it cannot do without."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*above, name))
        elif any("--data" in option.opts for option in command.params):
            needed = ("a:v1" for argument in command.params if argument.required)
            yield (*above, name, *ARGUMENTS.get(name, needed))


COMMANDS = sorted(commands(cast(click.Group, typer.main.get_command(app))))


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """A data directory with a package in it, whose database says that a newer program migrated it."""

    async def fill() -> None:
        registry = fresh_registry(tmp_path)
        await push_image(registry, "a", "v1", [b"layer"])
        await registry.close()

    asyncio.run(fill())
    with closing(sqlite3.connect(Config(data=str(tmp_path)).sqlite_path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
        connection.execute("PRAGMA journal_mode=DELETE")
    return tmp_path


def contents(directory: Path) -> dict[str, str]:
    """The digest of every file below a directory."""
    return {str(path): sha256(path.read_bytes()).hexdigest() for path in directory.rglob("*") if path.is_file()}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_every_command_refuses_a_newer_schema(newer: Path, command: tuple[str, ...]) -> None:
    """Each command, `serve` and `migrate` among them, ends with 7 and names the code; no byte on disk is another."""
    before = contents(newer)
    data = newer.with_name("new") if BACKUP in command else newer
    words = [str(newer) if word == BACKUP else word for word in command]
    result = CliRunner().invoke(app, [*words, "--data", str(data)], prog_name="artifactstore")
    assert (result.exit_code, "SCHEMA_UNSUPPORTED" in result.stderr) == (Exit.CONFIG, True), result.stderr
    assert contents(newer) == before


def test_the_library_refuses_a_newer_schema(newer: Path) -> None:
    """Opened by the library or as a server, a newer store raises SchemaUnsupported, and no byte on disk is another."""
    before = contents(newer)
    config = Config(data=str(newer), port=0)
    for opening in (
        lambda: artifactstore.open(data=str(newer)),
        lambda: open_registry(config, create=True),
        lambda: server.serve(config),
    ):
        with pytest.raises(SchemaUnsupported, match="newer"):
            opening()
    assert contents(newer) == before
