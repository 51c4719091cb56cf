from __future__ import annotations

import re

import pytest
import typer

from artifactstore.cli import describe
from artifactstore.cli.errors import EXITS, HINTS, Exit, translated
from artifactstore.errors import ArtifactStoreError, RangeInvalid, RepositoryUnknown


def codes(error: type[ArtifactStoreError]) -> set[str]:
    """The codes of an error and of all below it."""
    return {error.code}.union(*map(codes, error.__subclasses__()))


def test_every_code_has_an_exit() -> None:
    """The table of exits names every code of the error tree, and no other."""
    assert set(EXITS) == codes(ArtifactStoreError)


def test_exits_tell_errors_from_success_and_findings() -> None:
    """No error ends a command with 0, or with the 1 that a finding has."""
    assert not {Exit.OK, Exit.FOUND} & set(EXITS.values())
    assert all(exit_.text for exit_ in Exit)


def test_error_becomes_a_message_and_an_exit(capsys: pytest.CaptureFixture[str]) -> None:
    """What is raised is said on standard error with its code and detail, and ends with its exit code."""
    with pytest.raises(typer.Exit) as left, translated():
        raise RangeInvalid("beyond the end", size=3)
    assert left.value.exit_code == Exit.INPUT
    assert capsys.readouterr().err == "error: beyond the end (RANGE_INVALID)\n  size: 3\n"


def test_error_says_what_may_help(capsys: pytest.CaptureFixture[str]) -> None:
    """Where something helps that the message does not say, the same line says it."""
    with pytest.raises(typer.Exit), translated():
        raise RepositoryUnknown("no such repository", detail={"name": "none"})
    first, second = capsys.readouterr().err.splitlines()
    assert first == "error: no such repository (NAME_UNKNOWN): `artifactstore repo ls` lists the repositories"
    assert second == "  name: none"


def test_every_hint_is_for_a_code() -> None:
    """The table of hints names codes of the error tree, and commands that there are."""
    assert set(HINTS) <= set(EXITS)
    named = {words for hint in HINTS.values() for words in re.findall(r"`artifactstore ([a-z ]+[a-z])", hint)}
    assert named <= {command.name for command in describe.commands()}


def test_what_nobody_foresaw_is_internal(capsys: pytest.CaptureFixture[str]) -> None:
    """A mistake of the program ends with 70, its traceback and the code; nothing of typer's own is taken for one."""
    with pytest.raises(typer.Exit) as left, translated():
        raise ZeroDivisionError("by zero")
    assert left.value.exit_code == Exit.INTERNAL
    said = capsys.readouterr().err
    assert "Traceback" in said
    assert "error: this program failed: ZeroDivisionError (INTERNAL)" in said
    for ours in (typer.BadParameter("x"), typer.Abort()):
        with pytest.raises(type(ours)), translated():
            raise ours


def test_interrupt_is_130() -> None:
    """Ctrl-C ends with 130, as shells expect."""
    with pytest.raises(typer.Exit) as left, translated():
        raise KeyboardInterrupt
    assert left.value.exit_code == 130
