"""What a run of the suite must say to count as passed.

The suite's exit code is no gate: it is 0 for a skipped test, and for a run that
never took place. Its printed counts are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

STATUSES = ("Pass", "Skip", "Disabled", "FAIL", "Error")

_RESULT = re.compile(r"^OCI Conformance Result: (\S+)$", re.MULTILINE)
_COUNT = re.compile(r"^ {2}(Pass|Skip|Disabled|FAIL|Error)\.+: +(\d+)$", re.MULTILINE)


@dataclass(frozen=True)
class Profile:
    """One way to run the suite: its settings, the server's settings, and what it must reach.

    Of our own checks, which must all pass, `own_without` names the groups that it leaves out.
    """

    name: str
    suite: tuple[tuple[str, str], ...]
    server: tuple[tuple[str, str], ...]
    passes_min: int
    zero: tuple[str, ...]
    own_without: tuple[str, ...] = ()


STRICT = Profile(
    name="strict",
    suite=(("OCI_VERSION", "dev"), ("OCI_DATA_SPARSE", "true")),
    server=(("ARTIFACTSTORE_SPARSE_REPOSITORIES", "*"),),
    passes_min=1032,
    zero=("Skip", "Disabled", "FAIL", "Error"),
)
# The suite's own defaults switch its sparse and its newest tests off, so some are Disabled.
DEFAULT = Profile(
    name="default",
    suite=(),
    server=(),
    passes_min=860,
    zero=("Skip", "FAIL", "Error"),
    own_without=("sparse",),
)


@dataclass(frozen=True)
class Verdict:
    """The counts of one run, and each reason why it does not count as passed."""

    counts: dict[str, int]
    problems: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing speaks against the run."""
        return not self.problems

    def __str__(self) -> str:
        """One line for people."""
        figures = "  ".join(f"{status} {self.counts.get(status, '?')}" for status in STATUSES)
        return figures + ("  ok" if self.passed else "  NOT PASSED: " + "; ".join(self.problems))


def judge(console: str, profile: Profile) -> Verdict:
    """Read what the suite printed and hold it against `profile`."""
    counts, problems = read_counts(console)
    results = _RESULT.findall(console)
    if results != ["Pass"]:
        problems.append(f"expected one line 'OCI Conformance Result: Pass', found {results or 'none'}")
    problems += [f"{status} is {counts[status]}, not 0" for status in profile.zero if counts.get(status)]
    if counts.get("Pass", 0) < profile.passes_min:
        problems.append(f"fewer than {profile.passes_min} tests passed")
    return Verdict(counts, tuple(problems))


def read_counts(console: str) -> tuple[dict[str, int], list[str]]:
    """The count of every status, and a complaint for each that is not printed exactly once."""
    found = _COUNT.findall(console)
    counts = {status: int(number) for status, number in found}
    printed = [status for status, _ in found]
    return counts, [f"no single count of {status}" for status in STATUSES if printed.count(status) != 1]
