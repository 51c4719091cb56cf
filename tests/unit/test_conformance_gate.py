"""The gate on the official suite reads counts, because the suite's exit code hides skips and empty runs."""

from __future__ import annotations

import pytest

from conformance.oci.gate import DEFAULT, STRICT, Profile, judge


def console(counts: dict[str, int] | None = None, result: str = "Pass") -> str:
    """What the suite prints at the end of a run with these counts."""
    rows = {"Disabled": 0, "Skip": 0, "Pass": 1032, "FAIL": 0, "Error": 0} | (counts or {})
    lines = [f"  {name:.<30}: {number:10d}" for name, number in rows.items()]
    return "\n".join(
        [
            "Test results",
            f"OCI Conformance Test: {result}",
            "  OCI Conformance Test/ping: Pass",
            "    OCI Conformance Test/empty/referrers: Skip",
            "",
            f"OCI Conformance Result: {result}",
            *lines,
            f"  {'Total':.<30}: {sum(rows.values()):10d}",
            "",
            "API conformance:",
            f"  {'Tag listing':.<30}:       Pass",
            "",
        ]
    )


@pytest.mark.parametrize(
    ("profile", "counts"),
    [
        (STRICT, {}),
        (STRICT, {"Pass": 1100}),
        (DEFAULT, {"Pass": 860, "Disabled": 2}),
    ],
)
def test_full_run_passes(profile: Profile, counts: dict[str, int]) -> None:
    """A run with enough passes and zero where zero is asked for counts as passed."""
    assert judge(console(counts), profile).passed


@pytest.mark.parametrize(
    ("profile", "counts", "reason"),
    [
        (STRICT, {"Skip": 1}, "Skip is 1"),
        (STRICT, {"Disabled": 2}, "Disabled is 2"),
        (STRICT, {"FAIL": 3}, "FAIL is 3"),
        (STRICT, {"Error": 1}, "Error is 1"),
        (STRICT, {"Pass": 1031}, "fewer than 1032"),
        (DEFAULT, {"Skip": 1}, "Skip is 1"),
        (DEFAULT, {"FAIL": 1}, "FAIL is 1"),
        (DEFAULT, {"Pass": 859, "Disabled": 2}, "fewer than 860"),
        (DEFAULT, {"Pass": 0, "Disabled": 862}, "fewer than 860"),
    ],
)
def test_wrong_count_is_refused(profile: Profile, counts: dict[str, int], reason: str) -> None:
    """A count that is off refuses the run by name, although its result line says Pass."""
    verdict = judge(console(counts), profile)
    assert not verdict.passed
    assert any(reason in problem for problem in verdict.problems)


@pytest.mark.parametrize(
    "printed",
    [
        "",
        "failed to load config: unknown version\n",
        console().partition("OCI Conformance Result")[0],
        console().replace("OCI Conformance Result: Pass", ""),
        console(result="FAIL"),
        console(result="Skip"),
        console() + console(),
        console().replace("Skip....", "Skipped.", 1),
    ],
)
def test_incomplete_report_is_refused(printed: str) -> None:
    """A run that printed no report, half of one, two of them or another result does not pass."""
    assert not judge(printed, STRICT).passed


def test_verdict_line_shows_every_count() -> None:
    """The line for people names each status with its count, and says why a run was refused."""
    line = str(judge(console({"Skip": 4}), STRICT))
    assert "Pass 1032  Skip 4  Disabled 0  FAIL 0  Error 0" in line
    assert "NOT PASSED: Skip is 4, not 0" in line
