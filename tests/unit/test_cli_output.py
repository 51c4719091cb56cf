from __future__ import annotations

import io
import sys

import pytest

from artifactstore.cli import output


class Terminal(io.StringIO):
    """Standard output with a person before it."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (1 << 30, "1.0 GiB"), (1 << 52, "4096.0 TiB")]
)
def test_sizes_for_people(count: int, text: str) -> None:
    """Bytes are shown in the unit that fits."""
    assert output.size(count) == text


def test_table_for_programs_is_tabs(capsys: pytest.CaptureFixture[str]) -> None:
    """When no terminal looks on a table is a line a row, without a heading."""
    output.table(("A", "B"), [("x", 1), (None, ["p", "q"])])
    assert capsys.readouterr().out == "x\t1\n-\tp, q\n"


def test_table_for_people_has_a_heading(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal a table has a heading, and what looks like markup is shown as it is."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    output.table(("NAME", "COUNT"), [("[bold]x[/bold]", 1)])
    heading, row = terminal.getvalue().splitlines()
    assert "NAME" in heading
    assert "[bold]x[/bold]" in row


def test_nothing_shown_can_steer_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Control characters that a producer put into a name are written out, not obeyed."""
    output.row(("a\x1b[2Jb", "c\nd", "é"))
    assert capsys.readouterr().out == "a\\x1b[2Jb\tc\\nd\té\n"


def test_progress_is_silent_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """A bar is drawn for people only."""
    with output.progress("working") as progress, output.working("still"):
        progress(1, 2)
    assert capsys.readouterr() == ("", "")


def test_table_for_people_cuts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """However narrow the window, a digest is shown whole, so that it can be copied."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("COLUMNS", "20")
    digest = f"sha512:{'0' * 128}"
    output.table(("DIGEST", "SIZE"), [(digest, "1 B")])
    assert digest in terminal.getvalue()
