"""`make conformance` passes without the official suite only where its module is not to be had, and it was told to."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import pytest

from conformance.oci import official, run
from conformance.oci.gate import DEFAULT
from conformance.oci.run import IF_AVAILABLE, REQUIRED, Run, parse, run_official, runs_of
from conformance.tools import OCI_SUITE, ModuleUnavailable, Tool, ToolMissing, refuse_if_unavailable
from tests.unit.test_conformance_gate import console

PINNED = f"{OCI_SUITE.module}@{OCI_SUITE.version}"
REFUSAL = (
    f"go: downloading {OCI_SUITE.module} {OCI_SUITE.version}\n"
    f"{PINNED}: reading https://proxy.example/@v/x.zip: 403 Forbidden\n"
    "\tserver response: This module version is not available.\n"
)
NOT_THERE = f"go: {PINNED}: reading https://proxy.example/@v/x.mod: 404 Not Found\n\tserver response: not found\n"
GIVEN = [Run(DEFAULT, 0, "127.0.0.1:1")]


def asked(official: str, suite: Path | None = None) -> Namespace:
    """The options of a run."""
    return Namespace(official=official, suite=suite)


def install_raises(monkeypatch: pytest.MonkeyPatch, error: ToolMissing) -> None:
    """Let the installation of the suite end like this."""

    def install(tool: Tool) -> Path:
        raise error

    monkeypatch.setattr(official, "install", install)


def program(folder: Path, printed: str) -> Path:
    """A program that prints this."""
    path = folder / "suite"
    path.write_text(f"#!/bin/sh\ncat <<'END'\n{printed}\nEND\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (REFUSAL, "403 Forbidden, This module version is not available."),
        (NOT_THERE, "404 Not Found, not found"),
        (f"{PINNED}: reading https://proxy.example/@v/x.zip: 410 Gone\n", "410 Gone"),
    ],
)
def test_a_proxy_that_has_not_got_the_module_is_told_apart(said: str, answer: str) -> None:
    """What the proxy answered is the reason, without its address."""
    with pytest.raises(ModuleUnavailable, match=f"^the module proxy answers {answer}$"):
        refuse_if_unavailable(OCI_SUITE, said)


@pytest.mark.parametrize(
    "said",
    [
        "",
        "build failed",
        REFUSAL.replace(PINNED, "another.example/module@v1.0.0"),
        f"{PINNED}: reading https://proxy.example/@v/x.zip: 500 Internal Server Error\n",
        f"{PINNED}: Get https://proxy.example/@v/x.zip: dial tcp: connection refused\n",
    ],
)
def test_other_failures_are_no_excuse(said: str) -> None:
    """No network, a proxy that fails, another module: none of it says that the suite is not to be had."""
    refuse_if_unavailable(OCI_SUITE, said)


def test_the_suite_may_be_absent_where_that_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """With if-available, a module that is not to be had fails nothing, and the line says so loudly."""
    install_raises(monkeypatch, ModuleUnavailable("the module proxy answers 403 Forbidden"))
    line, passed = run_official(GIVEN, asked(IF_AVAILABLE))
    assert line.startswith("official suite: NOT RUN (its Go module cannot be installed here: the module proxy answers")
    assert passed == []


def test_the_suite_is_required_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it the same is a failure, and the message says what would help."""
    install_raises(monkeypatch, ModuleUnavailable("the module proxy answers 403 Forbidden"))
    line, passed = run_official(GIVEN, asked(REQUIRED))
    assert passed == [False]
    assert "OCI_CONFORMANCE_SUITE=PATH" in line
    assert parse([]).official == REQUIRED


def test_a_suite_that_does_not_build_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """No Go, no network, a build that fails: that the suite is optional does not excuse it."""
    install_raises(monkeypatch, ToolMissing("no Go"))
    assert run_official(GIVEN, asked(IF_AVAILABLE)) == ("official suite: NOT RUN\nno Go", [False])


@pytest.mark.parametrize(
    ("printed", "passed"),
    [(console(), True), (console({"FAIL": 1}, "FAIL"), False), (console({"Skip": 1}), False), ("", False)],
)
def test_a_suite_that_runs_must_pass(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, printed: str, passed: bool
) -> None:
    """A given suite is run as it is, and anything but all green fails, whatever was allowed."""
    monkeypatch.setattr(run, "RESULTS", tmp_path / "results")
    line, found = run_official(GIVEN, asked(IF_AVAILABLE, program(tmp_path, printed)))
    assert found == [passed]
    assert line == f"official suite: {int(passed)} of 1 runs passed"


def test_both_profiles_run_on_one_and_on_two_workers() -> None:
    """Without options there are four runs, the strict ones first."""
    assert [found.name for found in runs_of(parse([]))] == ["strict-1", "strict-2", "default-1", "default-2"]
