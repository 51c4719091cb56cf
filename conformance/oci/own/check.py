"""What a check is, what can come of it, and how checks are gathered into groups."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from conformance.oci.own.registry import Registry

Body = Callable[["Registry"], None]


class Failed(Exception):
    """The registry gave an answer that the specification does not allow."""


class NotOffered(Exception):
    """The registry declined, legally, what the check is about."""


@dataclass(frozen=True)
class Check:
    """One demand: its group, its name, the demand in words with the endpoint it is about, and how it is tried."""

    group: str
    name: str
    demand: str
    body: Body


@dataclass(frozen=True)
class Result:
    """What came of a check: `Pass`, `Fail` or `Skip`, and why."""

    check: Check
    status: str
    reason: str = ""

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.status:4} {self.check.group}/{self.check.name}" + (f": {self.reason}" if self.reason else "")


class Group:
    """Checks that belong together, in the order in which they are added; later ones may build on earlier ones."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.checks: list[Check] = []

    def check(self, function: Body) -> Body:
        """Add a function, named after itself; its docstring is the demand."""
        self.add(function.__name__.replace("_", " "), function)
        return function

    def add(self, name: str, function: Callable[..., None], *arguments: Any) -> None:
        """Add a function that is called with the registry and these arguments."""
        demand = " ".join((function.__doc__ or "").split())
        self.checks.append(Check(self.name, name, demand, partial(_call, function, arguments)))

    def each(self, rows: Iterable[tuple[Any, ...]]) -> Callable[[Callable[..., None]], Callable[..., None]]:
        """Add a function once for each row; the row's first element names the check and is an argument too."""

        def add(function: Callable[..., None]) -> Callable[..., None]:
            for row in rows:
                self.add(f"{function.__name__.replace('_', ' ')}: {row[0]}", function, *row)
            return function

        return add


def _call(function: Callable[..., None], arguments: tuple[Any, ...], registry: Registry) -> None:
    function(registry, *arguments)


def run(check: Check, registry: Registry) -> Result:
    """Try one check; a mistake in the registry's answer that a check did not foresee fails it too."""
    try:
        check.body(registry)
    except Failed as problem:
        return Result(check, "Fail", str(problem))
    except NotOffered as problem:
        return Result(check, "Skip", str(problem))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as problem:
        return Result(check, "Fail", f"an answer of unforeseen shape: {problem!r}")
    return Result(check, "Pass")
