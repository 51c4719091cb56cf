"""Every command as data: what the reference page of the command line is made from."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import typer

from artifactstore.cli.examples import parted
from artifactstore.cli.main import app


@dataclass(frozen=True, slots=True)
class Parameter:
    """An argument or option as one types it, and what it is for."""

    form: str
    help: str


@dataclass(frozen=True, slots=True)
class Command:
    """A command: its name, how it is used, what it does, its parameters, and examples as they are typed."""

    name: str
    usage: str
    help: str
    parameters: tuple[Parameter, ...]
    examples: tuple[str, ...]


def commands() -> list[Command]:
    """Every command, in the order of the help."""
    group: Any = typer.main.get_command(app)
    return list(_commands(group, typer.Context(group, info_name="artifactstore"), ""))


def _commands(group: Any, context: typer.Context, before: str) -> Iterator[Command]:
    """Those of a group, and of the groups in it; `before` are the words that lead there."""
    for name, command in group.commands.items():
        inner = typer.Context(command, info_name=name, parent=context)
        if hasattr(command, "commands"):
            yield from _commands(command, inner, f"{before}{name} ")
            continue
        usage = " ".join(command.collect_usage_pieces(inner))
        parameters = tuple(_parameter(parameter) for parameter in command.params)
        words = f"{before}{name}"
        said, shown = parted(inspect.cleandoc(command.help or ""))
        yield Command(words, f"artifactstore {words} {usage}", said, parameters, shown)


def _parameter(parameter: object) -> Parameter:
    names: list[str] = [*getattr(parameter, "opts", []), *getattr(parameter, "secondary_opts", [])]
    metavar: str = getattr(parameter, "metavar", None) or ""
    is_option = getattr(parameter, "param_type_name", "") == "option"
    form = f"{', '.join(names)} {metavar}".rstrip() if is_option else metavar
    return Parameter(form, getattr(parameter, "help", None) or "")
