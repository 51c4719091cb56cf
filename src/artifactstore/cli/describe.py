"""Every command as data: what the reference page of the command line is made from."""

from __future__ import annotations

import inspect
from dataclasses import dataclass

import typer

from artifactstore.cli.main import app


@dataclass(frozen=True, slots=True)
class Parameter:
    """An argument or option as one types it, and what it is for."""

    form: str
    help: str


@dataclass(frozen=True, slots=True)
class Command:
    """A command: its name, how it is used, what it does, and its parameters."""

    name: str
    usage: str
    help: str
    parameters: tuple[Parameter, ...]


def commands() -> list[Command]:
    """Every command, in the order of the help."""
    group = typer.main.get_command(app)
    context = typer.Context(group, info_name="artifactstore")
    found = []
    for name, command in group.commands.items():  # type: ignore[attr-defined]  # of several commands typer makes a group
        usage = " ".join(command.collect_usage_pieces(typer.Context(command, info_name=name, parent=context)))
        parameters = tuple(_parameter(parameter) for parameter in command.params)
        found.append(Command(name, f"artifactstore {name} {usage}", inspect.cleandoc(command.help or ""), parameters))
    return found


def _parameter(parameter: object) -> Parameter:
    names: list[str] = getattr(parameter, "opts", [])
    metavar: str = getattr(parameter, "metavar", None) or ""
    is_option = getattr(parameter, "param_type_name", "") == "option"
    form = f"{', '.join(names)} {metavar}".rstrip() if is_option else metavar
    return Parameter(form, getattr(parameter, "help", None) or "")
