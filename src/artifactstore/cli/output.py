"""What commands print: tables for people, plain when no terminal looks on, and JSON for programs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

WIDTH_MAX = 10_000
UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def is_terminal() -> bool:
    """Whether a person looks at standard output."""
    return sys.stdout.isatty()


def notes(*texts: str) -> None:
    """Text for people on standard error, where standard output carries something else."""
    for text in texts:
        sys.stderr.write(f"{text}\n")


def lines(*texts: str) -> None:
    """Text, a line each."""
    for text in texts:
        sys.stdout.write(f"{text}\n")


def note(text: str) -> None:
    """A remark for people, beside what was asked for: on standard error."""
    sys.stdout.flush()
    sys.stderr.write(f"{text}\n")


def flush() -> None:
    """Let whoever reads see what was printed so far."""
    sys.stdout.flush()


def json_document(value: Mapping[str, Any]) -> None:
    """One JSON value for a program, on one line."""
    from artifactstore.registry.rendering import dumps

    lines(dumps(dict(value)))


def raw(data: bytes) -> None:
    """Bytes as they are."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table with a heading on a terminal; else a line a row, its cells parted by tabs."""
    if not is_terminal():
        for cells in rows:
            row(cells)
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        drawn.add_column(column, no_wrap=True)
    for cells in rows:
        drawn.add_row(*(Text(_plain(cell)) for cell in cells))
    # As wide as it is: a digest that was cut to fit the window could not be copied.
    Console(width=WIDTH_MAX).print(drawn, crop=False)


def row(cells: Sequence[object]) -> None:
    """One line, its cells parted by tabs: for what comes one by one, without end."""
    lines("\t".join(map(_plain, cells)))


def pairs(values: Mapping[str, object]) -> None:
    """Names and values, one below the other."""
    width = max(map(len, values), default=0)
    for name, value in values.items():
        lines(f"{name:<{width}}  {_plain(value)}".rstrip())


def size(count: int) -> str:
    """Bytes for people: `1.5 MiB`."""
    amount, unit = float(count), 0
    while amount >= 1024 and unit < len(UNITS) - 1:
        amount, unit = amount / 1024, unit + 1
    return f"{count} B" if unit == 0 else f"{amount:.1f} {UNITS[unit]}"


@contextmanager
def progress(what: str, *, in_bytes: bool = False) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error, to be told (done, in all) now and then; silent unless a terminal looks on."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich import progress as bars
    from rich.console import Console

    amount: list[bars.ProgressColumn] = [bars.MofNCompleteColumn()]
    if in_bytes:
        amount = [bars.DownloadColumn(binary_units=True), bars.TransferSpeedColumn()]
    shown = (bars.TextColumn(what), bars.BarColumn(), *amount, bars.TimeRemainingColumn())
    with bars.Progress(*shown, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def transferring(what: str) -> Iterator[Callable[[int, int], None]]:
    """As `progress`, for bytes: how many of how many, how fast, how long still."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (TextColumn(what), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def working(what: str) -> Iterator[None]:
    """A sign of life on standard error while something of unknown length goes on."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(what):
        yield


def _plain(cell: object) -> str:
    """A cell as text that cannot steer a terminal or break a line: what is shown was written by whoever pushed it."""
    if cell is None:
        return "-"
    text = ", ".join(map(str, cell)) if isinstance(cell, list | tuple) else str(cell)
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
