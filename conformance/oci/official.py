"""The official OCI distribution suite: where it comes from, and how it is run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from conformance.oci.gate import Profile
from conformance.tools import OCI_SUITE, ModuleUnavailable, install

SUITE_SECONDS_MAX = 600
ADVICE = (
    "Give a suite that was built elsewhere, with --suite PATH or OCI_CONFORMANCE_SUITE=PATH. Where none is to be had,"
    " `make conformance OFFICIAL=if-available` passes on the checks of our own alone."
)

__all__ = ["ADVICE", "ModuleUnavailable", "find", "run"]


def find(given: Path | None) -> Path:
    """The suite that is given, else the pinned one, built. Raises ModuleUnavailable, ToolMissing."""
    suite = given or install(OCI_SUITE)
    print(f"suite: {suite} " + ("(given, revision not checked)" if given else OCI_SUITE.version), flush=True)
    return suite


def run(suite: Path, profile: Profile, registry: str, results: Path) -> str:
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
        except OSError as problem:
            print(f"{suite} cannot be run: {problem.strerror}", file=sys.stderr)
    return console.read_text(errors="replace")
