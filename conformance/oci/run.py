"""Run the official OCI distribution suite against a server of our own, and gate on its counts.

`make conformance` runs it strict (the spec's main branch, sparse manifests) and with
the suite's defaults, each on one worker and on two worker processes. What the suite
and the server print lies in `conformance/oci/results/` afterwards.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from conformance.oci.gate import DEFAULT, STRICT, Profile, Verdict, judge
from conformance.server import ServerFailed, exit_on_terminate, serving
from conformance.tools import OCI_SUITE, ToolMissing, install

RESULTS = Path(__file__).resolve().parent / "results"
PROFILES = {profile.name: profile for profile in (STRICT, DEFAULT)}
SUITE_SECONDS_MAX = 600


def main(arguments: list[str] | None = None) -> int:
    """Run each profile on each number of workers; 0 when every run passed."""
    options = parse(arguments)
    exit_on_terminate()
    try:
        suite = options.suite or install(OCI_SUITE)
        verdicts = run_all(suite, options)
    except (ToolMissing, ServerFailed) as problem:
        print(problem, file=sys.stderr)
        return 1
    failed = sum(not verdict.passed for verdict in verdicts)
    print(f"conformance: {len(verdicts) - failed} passed, {failed} failed")
    return 1 if failed else 0


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="conformance.oci.run", description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--profile", action="append", choices=sorted(PROFILES), help="run this profile only")
    parser.add_argument("--workers", action="append", type=int, help="worker processes (default: 1, then 2)")
    parser.add_argument("--registry", metavar="HOST:PORT", help="test this registry instead of a server of our own")
    parser.add_argument(
        "--suite",
        type=Path,
        default=os.environ.get("OCI_CONFORMANCE_SUITE") or None,
        help="a suite built elsewhere, used as it is (also: OCI_CONFORMANCE_SUITE); by default the pinned one is built",
    )
    return parser.parse_args(arguments)


def run_all(suite: Path, options: argparse.Namespace) -> list[Verdict]:
    """Run what the options ask for, one line printed for each run."""
    print(f"suite: {suite} " + ("(given, revision not checked)" if options.suite else OCI_SUITE.version))
    profiles = [PROFILES[name] for name in options.profile or ("strict", "default")]
    verdicts = []
    for profile in profiles:
        for workers in [0] if options.registry else options.workers or [1, 2]:
            name = f"{profile.name}-{options.registry.replace(':', '-') if options.registry else workers}"
            results = fresh_folder(RESULTS / name)
            verdict = run_one(suite, profile, workers, results, options.registry)
            against = options.registry or f"{workers} worker{'s' if workers > 1 else ''}"
            print(f"{profile.name:8} {against:10} {verdict}", flush=True)
            verdicts.append(verdict)
    return verdicts


def run_one(suite: Path, profile: Profile, workers: int, results: Path, registry: str | None) -> Verdict:
    """Run the suite once, against `registry` or against a server started for it."""
    if registry is not None:
        return judge(run_suite(suite, profile, registry, results), profile)
    with serving(workers=workers, log=results / "server.log", settings=dict(profile.server)) as server:
        return judge(run_suite(suite, profile, server.host, results), profile)


def run_suite(suite: Path, profile: Profile, registry: str, results: Path) -> str:
    """Run the suite's program and return what it printed; its exit code says nothing that the counts do not."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OCI_")}
    environment |= {"OCI_REGISTRY": registry, "OCI_TLS": "disabled", "OCI_RESULTS_DIR": str(results)}
    environment |= dict(profile.suite)
    console = results / "console.txt"
    with console.open("wb") as output, (results / "stderr.txt").open("wb") as errors:
        try:
            subprocess.run(
                [str(suite.resolve())],
                env=environment,
                cwd=results,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                timeout=SUITE_SECONDS_MAX,
                check=False,
            )
        except subprocess.TimeoutExpired:
            print(f"the suite was stopped after {SUITE_SECONDS_MAX} s", file=sys.stderr)
    return console.read_text(errors="replace")


def fresh_folder(folder: Path) -> Path:
    """An empty folder of that name, so that no old result is mistaken for a new one."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


if __name__ == "__main__":
    sys.exit(main())
