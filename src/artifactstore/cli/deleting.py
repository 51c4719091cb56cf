"""What every deleting command does alike: show what would go, ask, do it, say so."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from artifactstore.cli import output

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; needed where no terminal is there to answer.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say exactly what would go and what would stay; delete nothing.")
]


@dataclass(frozen=True, slots=True)
class Change:
    """What a deletion does to one thing: it is `deleted`, or it `stays`, or it stays `orphaned`."""

    fate: str
    what: str
    name: str
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Consent:
    """How a deleting command was called. Raises ParameterInvalid when it may not delete and nobody can be asked."""

    yes: bool
    dry_run: bool
    as_json: bool

    def __post_init__(self) -> None:
        from artifactstore.errors import ParameterInvalid

        if self.yes or self.dry_run:
            return
        if self.as_json:
            raise ParameterInvalid("--json asks nothing: say --yes to delete, or --dry-run to see what would go")
        if not sys.stdin.isatty():
            raise ParameterInvalid("nobody is here to ask: say --yes to delete, or --dry-run to see what would go")

    @property
    def asks(self) -> bool:
        return not (self.yes or self.dry_run)


def carry_out(changes: Sequence[Change], size: int, act: Callable[[], object], consent: Consent) -> None:
    """Do what was agreed to. `size`: bytes that nothing else names."""
    if consent.asks:
        _show(changes, size)
        if not _agrees():
            output.note("nothing was deleted")
            return
    if not consent.dry_run:
        act()
    if consent.as_json:
        output.json_document(_document(changes, size, consent))
    elif not consent.asks:
        _show(changes, size)
    if consent.dry_run:
        output.note("dry run: nothing was deleted")


def _show(changes: Sequence[Change], size: int) -> None:
    output.table(
        ("FATE", "WHAT", "NAME", "DETAIL"), [(each.fate, each.what, each.name, each.detail) for each in changes]
    )
    if size:
        output.note(f"{output.size(size)} that nothing else in the repository names")


def _document(changes: Sequence[Change], size: int, consent: Consent) -> dict[str, Any]:
    rows = [{"fate": each.fate, "what": each.what, "name": each.name, "detail": each.detail} for each in changes]
    return {"dry_run": consent.dry_run, "changes": rows, "size": size}


def _agrees() -> bool:
    """Whether whoever sits there says yes; an end of input is a no."""
    sys.stdout.flush()
    sys.stderr.write("Delete this? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
