"""Commands run in this process, and what they print."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from artifactstore.cli.main import app


def run(*arguments: str | Path, typed: str = "") -> Result:
    """What a command prints and ends with; `typed` is its standard input."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments], typed, prog_name="artifactstore")


def lines(*arguments: str | Path) -> list[list[str]]:
    """The cells of each line that a command prints; it must succeed."""
    result = run(*arguments)
    assert result.exit_code == 0, result.stderr
    return [line.split("\t") for line in result.stdout.splitlines()]


def document(*arguments: str | Path) -> dict[str, Any]:
    """The JSON document that a command prints; it must succeed."""
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    value: dict[str, Any] = json.loads(result.stdout)
    return value
