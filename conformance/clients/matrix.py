"""What each client made of each scenario, the verdict on all of it, and the page that shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Mark = Literal["pass", "FAIL", "n/a"]


@dataclass(frozen=True)
class Cell:
    """How a scenario went with a client; `why` says what failed, or why there is nothing to play."""

    mark: Mark
    why: str = ""


NOT_RUN = Cell("FAIL", "was not run")


@dataclass
class Matrix:
    """Scenarios down, clients across; a cell that nobody filled is a failure."""

    scenarios: Sequence[str]
    clients: Sequence[str]
    cells: dict[tuple[str, str], Cell] = field(default_factory=dict)

    def cell(self, scenario: str, client: str) -> Cell:
        """How it went."""
        return self.cells.get((scenario, client), NOT_RUN)

    def problems(self) -> Iterator[str]:
        """One line for everything that keeps the matrix from passing; a row or column without a pass proves nothing."""
        for scenario, client in self._places():
            found = self.cell(scenario, client)
            if found.mark == "FAIL":
                yield f"{client}, {scenario}: {found.why}"
            elif found.mark == "n/a" and not found.why:
                yield f"{client}, {scenario}: not applicable without a reason"
        for scenario in self.scenarios:
            if not any(self.cell(scenario, client).mark == "pass" for client in self.clients):
                yield f"{scenario}: no client passed it"
        for client in self.clients:
            if not any(self.cell(scenario, client).mark == "pass" for scenario in self.scenarios):
                yield f"{client}: it passed no scenario"

    @property
    def passes(self) -> bool:
        """Whether something was asked, and all of it went well."""
        return bool(self.scenarios and self.clients) and not any(self.problems())

    def counts(self) -> Mapping[Mark, int]:
        """How many cells have each mark."""
        marks = [self.cell(*place).mark for place in self._places()]
        return {mark: marks.count(mark) for mark in ("pass", "FAIL", "n/a")}

    def footnotes(self) -> list[str]:
        """The reasons why something does not apply, each once, in the order in which a reader meets them."""
        found = (self.cell(*place) for place in self._places())
        return list(dict.fromkeys(cell.why for cell in found if cell.mark == "n/a"))

    def rows(self) -> list[list[str]]:
        """The matrix as text, header first; what does not apply bears the number of its footnote."""
        notes = self.footnotes()
        rows = [["", *self.clients]]
        for scenario in self.scenarios:
            cells = [self.cell(scenario, client) for client in self.clients]
            shown = [f"n/a {notes.index(cell.why) + 1}" if cell.mark == "n/a" else cell.mark for cell in cells]
            rows.append([scenario.replace("_", " "), *shown])
        return rows

    def _places(self) -> Iterator[tuple[str, str]]:
        return ((scenario, client) for scenario in self.scenarios for client in self.clients)


def as_text(matrix: Matrix) -> str:
    """The matrix for a terminal, with footnotes, problems and counts."""
    rows = matrix.rows()
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines += ["", *(f"{number:3} {note}" for number, note in enumerate(matrix.footnotes(), 1)), ""]
    lines += [f"FAIL {problem}" for problem in matrix.problems()]
    counts = matrix.counts()
    lines.append(f"clients: {counts['pass']} passed, {counts['FAIL']} failed, {counts['n/a']} not applicable")
    return "\n".join(lines)


def table(rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; the first row is its head."""
    ruled = [rows[0], ["---"] * len(rows[0]), *rows[1:]]
    return "\n".join("| " + " | ".join(row) + " |" for row in ruled)
