"""Examples of each command, shown in its help, on the reference page and in the manual; a test parses every one."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TypeVar

Command = TypeVar("Command", bound=Callable[..., None])
HEADING = "\b\nExamples:\n"
"""`\\b` keeps the lines of a paragraph as they are."""

EXITS = "Exit codes: `artifactstore --help` lists them."


def examples(*lines: str) -> Callable[[Command], Command]:
    """Put command lines, each without `artifactstore`, under what a command says of itself."""

    def with_examples(command: Command) -> Command:
        shown = "\n".join(f"  artifactstore {line}" for line in lines)
        command.__doc__ = f"{inspect.cleandoc(command.__doc__ or '')}\n\n{HEADING}{shown}\n\n{EXITS}"
        return command

    return with_examples


def parted(text: str) -> tuple[str, tuple[str, ...]]:
    """A command's help without its examples, and the examples as they are typed."""
    words, _, rest = text.partition(HEADING)
    lines = rest.removesuffix(EXITS).splitlines()
    return words.strip(), tuple(line.strip() for line in lines if line.strip())
