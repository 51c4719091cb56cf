"""What commands say of themselves: help, examples, the manual, and the shapes of their documents."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest
import typer
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from typer.testing import CliRunner

from artifactstore.cli import describe, manual, shapes
from artifactstore.cli.errors import Exit
from artifactstore.cli.main import app

COMMANDS = describe.commands()
EXAMPLES = [example for command in COMMANDS for example in command.examples]
MACROS = {"TH", "SH", "SS", "TP", "PP", "B", "I", "nf", "fi", "RS", "RE"}


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_parses(example: str) -> None:
    """Each example is a command line that the command understands, to its last option and argument."""
    program, *words = shlex.split(re.split(" [>|] ", example)[0])
    assert program == "artifactstore"
    command: Any = typer.main.get_command(app)
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    assert command.make_context(command.name, words).args == []


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_help_shows_examples_and_where_exit_codes_are(command: describe.Command) -> None:
    """`--help` of each command says what it does, shows its examples line by line, and where exit codes are listed."""
    result = CliRunner().invoke(
        app, [*command.name.split(), "--help"], prog_name="artifactstore", env={"COLUMNS": "80"}
    )
    assert result.exit_code == 0
    shown = {line.strip() for line in result.stdout.splitlines()}
    assert set(command.examples) <= shown
    assert "Exit codes: `artifactstore --help` lists them." in shown


def test_help_lists_every_exit_code() -> None:
    """`artifactstore --help` says what each exit code means."""
    words = " ".join(CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"}).stdout.split())
    for code in Exit:
        assert f"{int(code)} ({code.text})" in words


def test_options_are_called_alike_everywhere() -> None:
    """An option of the same name takes the same kind of value and, where it is about the same thing, the same words."""
    forms: dict[str, set[str]] = {}
    for command in COMMANDS:
        for parameter in command.parameters:
            if parameter.form.startswith("--"):
                forms.setdefault(re.split("[ ,]", parameter.form)[0], set()).add(parameter.form)
    assert {name: found for name, found in forms.items() if len(found) > 1} == {}


@pytest.mark.parametrize(("typed", "meant"), [(["sho"], "show"), (["repo", "lss"], "ls"), (["ls", "--jsn"], "--json")])
def test_nearest_word_is_suggested(typed: list[str], meant: str) -> None:
    """A command or option that is misspelt is answered with the one that was probably meant, and exit 2."""
    result = CliRunner().invoke(app, typed)
    assert result.exit_code == 2
    assert meant in result.stderr


def test_manual_is_sound() -> None:
    """Each line of the manual page is a macro that man(7) has, or text that no roff program takes for one."""
    lines = manual.page().splitlines()[1:]
    assert lines[0].startswith(".TH ARTIFACTSTORE 1 ")
    for line in lines:
        assert re.match(r"\.(\w+)( |$)", line).group(1) in MACROS if line.startswith(".") else line  # type: ignore[union-attr]
        assert not line.startswith("'")
        assert re.sub(r"\\(-|e|&|\(dq|f[BIR])", "", line).count("\\") == 0, line
    assert lines.count(".nf") == lines.count(".fi") == lines.count(".RS") == lines.count(".RE") == len(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_manual_has_every_command(command: describe.Command) -> None:
    """The manual page has each command's usage, parameters and examples."""
    page = manual.page().replace("\\-", "-").replace("\\(dq", '"')
    assert command.usage in page
    for words in (*command.examples, *(parameter.form for parameter in command.parameters)):
        assert words in page


def test_shapes_are_schemas() -> None:
    """Each shape is a sound JSON Schema, and is written down without a word that is undefined."""
    for name, shape in shapes.SHAPES.items():
        Draft202012Validator.check_schema(shapes.complete(shape))
        assert shapes.written(shape), name
