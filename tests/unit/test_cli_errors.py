from __future__ import annotations

import pytest
import typer

from artifactstore.cli.errors import EXITS, Exit, translated
from artifactstore.errors import ArtifactStoreError, RangeInvalid


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


def test_interrupt_is_130() -> None:
    """Ctrl-C ends with 130, as shells expect."""
    with pytest.raises(typer.Exit) as left, translated():
        raise KeyboardInterrupt
    assert left.value.exit_code == 130
