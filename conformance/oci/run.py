"""Run the conformance checks against servers of our own: our checks first, then the official suite.

`make conformance` runs both strict (the spec's main branch, sparse manifests) and with
the defaults, each on one worker and on two worker processes. What they and the servers
print lies in `conformance/oci/results/` afterwards.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from conformance.oci import official
from conformance.oci.gate import DEFAULT, STRICT, Profile, judge
from conformance.oci.own import __main__ as own
from conformance.server import ServerFailed, exit_on_terminate, serving
from conformance.tools import ToolMissing

RESULTS = Path(__file__).resolve().parent / "results"
PROFILES = {profile.name: profile for profile in (STRICT, DEFAULT)}
REQUIRED, IF_AVAILABLE = "required", "if-available"


@dataclass(frozen=True)
class Run:
    """One profile against one registry: one that is given, or a server with so many workers."""

    profile: Profile
    workers: int
    registry: str | None

    @property
    def name(self) -> str:
        """The name of the folder of its results."""
        return f"{self.profile.name}-{self.registry.replace(':', '-') if self.registry else self.workers}"

    def __str__(self) -> str:
        """For people."""
        against = self.registry or f"{self.workers} worker{'s' if self.workers > 1 else ''}"
        return f"{self.profile.name:8} {against:10}"

    @contextmanager
    def against(self, results: Path) -> Iterator[str]:
        """Host and port of the registry, which is there until the block ends."""
        if self.registry is not None:
            yield self.registry
            return
        log = results / "server.log"
        with serving(workers=self.workers, log=log, settings=dict(self.profile.server)) as server:
            yield server.host


def main(arguments: list[str] | None = None) -> int:
    """Run each profile on each number of workers; 0 when every run passed."""
    options = parse(arguments)
    exit_on_terminate()
    runs = runs_of(options)
    state_file = RESULTS / "official.txt"
    state_file.unlink(missing_ok=True)
    try:
        passed = [run_own(run) for run in runs]
        state, suite_passed = run_official(runs, options)
    except ServerFailed as problem:
        print(problem, file=sys.stderr)
        return 1
    passed += suite_passed
    state_file.write_text(f"{state}\n")
    print(f"conformance: {passed.count(True)} passed, {passed.count(False)} failed")
    print(state, flush=True)
    return 0 if all(passed) else 1


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="conformance.oci.run", description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--profile", action="append", choices=sorted(PROFILES), help="run this profile only")
    parser.add_argument("--workers", action="append", type=int, help="worker processes (default: 1, then 2)")
    parser.add_argument("--registry", metavar="HOST:PORT", help="test this registry instead of a server of our own")
    parser.add_argument(
        "--official",
        choices=(REQUIRED, IF_AVAILABLE),
        default=REQUIRED,
        help="whether it is a failure that the official suite's Go module is not to be had (default: it is);"
        " where the suite runs, it has to pass",
    )
    parser.add_argument(
        "--suite",
        type=Path,
        default=os.environ.get("OCI_CONFORMANCE_SUITE") or None,
        help="a suite built elsewhere, used as it is (also: OCI_CONFORMANCE_SUITE); by default the pinned one is built",
    )
    return parser.parse_args(arguments)


def runs_of(options: argparse.Namespace) -> list[Run]:
    """What the options ask for."""
    profiles = [PROFILES[name] for name in options.profile or ("strict", "default")]
    workers = [0] if options.registry else options.workers or [1, 2]
    return [Run(profile, count, options.registry) for profile in profiles for count in workers]


def run_own(run: Run) -> bool:
    """Run our own checks once, print what did not pass and one line; whether they all passed."""
    results = fresh_folder(RESULTS / f"own-{run.name}")
    checks = own.chosen(without=run.profile.own_without)
    with run.against(results) as host:
        found = own.run_all(f"http://{host}", checks)
    (results / "results.json").write_text(json.dumps([own.as_json(result) for result in found], indent=1))
    for result in found:
        if result.status != "Pass":
            print(result)
    print(f"own      {run} {own.summary(found)}", flush=True)
    return own.passed(found)


def run_official(runs: list[Run], options: argparse.Namespace) -> tuple[str, list[bool]]:
    """Run the official suite where there is one: a line that says what came of it, and what passed."""
    try:
        suite = official.find(options.suite)
    except official.ModuleUnavailable as reason:
        line = f"official suite: NOT RUN (its Go module cannot be installed here: {reason})"
        return (line, []) if options.official == IF_AVAILABLE else (f"{line}\n{official.ADVICE}", [False])
    except ToolMissing as reason:
        return f"official suite: NOT RUN\n{reason}", [False]
    passed = [run_suite(suite, run) for run in runs]
    return f"official suite: {passed.count(True)} of {len(passed)} runs passed", passed


def run_suite(suite: Path, run: Run) -> bool:
    """Run the official suite once, and print one line; whether its counts are what they have to be."""
    results = fresh_folder(RESULTS / run.name)
    with run.against(results) as host:
        verdict = judge(official.run(suite, run.profile, host, results), run.profile)
    print(f"official {run} {verdict}", flush=True)
    return verdict.passed


def fresh_folder(folder: Path) -> Path:
    """An empty folder of that name, so that no old result is mistaken for a new one."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


if __name__ == "__main__":
    sys.exit(main())
