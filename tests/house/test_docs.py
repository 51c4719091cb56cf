"""What is there is written down, and what is written down is there."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from artifactstore import errors
from artifactstore.cli import describe
from artifactstore.cli.shapes import SHAPES
from artifactstore.config import DESCRIPTIONS, Config
from artifactstore.events.model import FACTS
from artifactstore.testing.docs import PAGES, leaves

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "src" / "artifactstore"


@pytest.mark.parametrize("name", PAGES)
def test_generated_page_is_what_the_code_says(name: str) -> None:
    """Each generated page is what `make docs` would write now."""
    assert (ROOT / name).read_text(encoding="utf-8") == PAGES[name](), f"{name} is out of date: run `make docs`"


def test_every_setting_is_described() -> None:
    """Every setting says what it does, and nothing else is said."""
    assert [field.name for field in fields(Config)] == list(DESCRIPTIONS)
    assert all(DESCRIPTIONS.values())


@pytest.mark.parametrize("command", describe.commands(), ids=lambda command: command.name)
def test_every_command_and_option_has_help(command: describe.Command) -> None:
    """Every command says what it does, and so does each of its parameters."""
    assert command.help
    assert [parameter.form for parameter in command.parameters if not (parameter.form and parameter.help)] == []


@pytest.mark.parametrize("command", describe.commands(), ids=lambda command: command.name)
def test_every_command_shows_examples(command: describe.Command) -> None:
    """Every command has two or three examples that fit its help, and what it prints with --json is written down."""
    assert 2 <= len(command.examples) <= 3
    assert max(map(len, command.examples)) <= 76
    prints_json = any(parameter.form == "--json" for parameter in command.parameters)
    assert prints_json == (command.name in SHAPES)


@pytest.mark.parametrize("name", FACTS)
def test_every_event_type_is_written_down(name: str) -> None:
    """The page of event formats names every type of event."""
    assert f"`{name}`" in (ROOT / "docs" / "formats" / "events.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("error", list(leaves(errors.ArtifactStoreError)), ids=lambda error: error.code)
def test_every_error_is_in_the_drawn_tree(error: type[errors.ArtifactStoreError]) -> None:
    """Each error has a code of its own, a meaning, and a line in the tree that the module's docstring draws."""
    assert error.__doc__
    drawn = [line.split() for line in (errors.__doc__ or "").splitlines()]
    assert [error.__name__ in words for words in drawn if error.code in words] == [True]


def undocumented(path: Path) -> Iterator[str]:
    """The module, classes and functions of a file that are public and have no docstring."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    if not ast.get_docstring(tree):
        yield str(path)
    for node in tree.body:
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) or node.name.startswith("_"):
            continue
        if not ast.get_docstring(node):
            yield f"{path.name}:{node.lineno} {node.name}"


def test_every_public_name_has_a_docstring() -> None:
    """Every module, class and function that does not begin with `_` says what it is."""
    assert [name for path in sorted(SOURCES.rglob("*.py")) for name in undocumented(path)] == []


def written_tests(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The test functions of a file, those in classes too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield node


def test_every_test_states_its_fact() -> None:
    """Every test has a docstring."""
    silent = [
        f"{path.relative_to(ROOT)}:{test.lineno} {test.name}"
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        for test in written_tests(path)
        if not ast.get_docstring(test)
    ]
    assert silent == []
