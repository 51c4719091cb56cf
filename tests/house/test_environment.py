"""The environment is read in one place."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCES = Path(__file__).resolve().parents[2] / "src" / "artifactstore"
READERS = {"config.py"}
NAMES = {"environ", "environb", "getenv", "getenvb", "putenv", "unsetenv"}


def environment_uses(source: str) -> Iterator[int]:
    """The lines of `source` that name the process environment, under whatever alias `os` goes."""
    tree = ast.parse(source)
    aliases = {
        name.asname or name.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for name in node.names
        if name.name in {"os", "posix"}
    }
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module="os" | "posix") if NAMES & {name.name for name in node.names}:
                yield node.lineno
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name in aliases and attribute in NAMES:
                yield node.lineno


def test_only_config_reads_the_environment() -> None:
    """No module but `artifactstore.config` names the process environment."""
    found = [
        f"{path.relative_to(SOURCES)}:{line}"
        for path in sorted(SOURCES.rglob("*.py"))
        if str(path.relative_to(SOURCES)) not in READERS
        for line in environment_uses(path.read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("import os\nos.environ['A']", [2]),
        ("import os as system\nsystem.getenv('A')", [2]),
        ("from os import path, environ", [1]),
        ("from os import getenv as look", [1]),
        ("import os\nos.path.join('environ')", []),
        ("from os import path\n'os.environ'  # os.environ", []),
        ("request.environ", []),
    ],
)
def test_every_spelling_is_seen(source: str, lines: list[int]) -> None:
    """Aliases and from-imports are found; strings, comments and other objects' attributes are not."""
    assert list(environment_uses(source)) == lines
