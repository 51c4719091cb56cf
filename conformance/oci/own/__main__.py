"""`python -m conformance.oci.own URL`: run the checks against a registry; 0 when every one of them passed."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence

from conformance.oci.own.catalogue import GROUPS
from conformance.oci.own.check import Check, Result, run
from conformance.oci.own.registry import Registry


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the options ask for, and print what failed and the counts, or everything as JSON."""
    options = parse(arguments)
    results = run_all(options.url, chosen(options.group, options.without))
    if options.json:
        print(json.dumps([as_json(result) for result in results], indent=1))
    else:
        for result in results:
            if options.verbose or result.status != "Pass":
                print(result)
        print(summary(results))
    return 0 if passed(results) else 1


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    names = [group.name for group in GROUPS]
    parser = argparse.ArgumentParser(prog="conformance.oci.own", description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("url", help="the registry, such as http://127.0.0.1:5000")
    parser.add_argument("--group", action="append", choices=names, metavar="NAME", help="run this group only")
    parser.add_argument("--without", action="append", choices=names, metavar="NAME", help="leave this group out")
    parser.add_argument("--json", action="store_true", help="print every result as JSON")
    parser.add_argument("--verbose", action="store_true", help="print what passed too")
    return parser.parse_args(arguments)


def chosen(only: Iterable[str] | None = None, without: Iterable[str] | None = None) -> list[Check]:
    """The checks of these groups, or of all, but not of those."""
    wanted = set(only or (group.name for group in GROUPS)) - set(without or ())
    return [check for group in GROUPS if group.name in wanted for check in group.checks]


def run_all(url: str, checks: Iterable[Check]) -> list[Result]:
    """Run the checks one after the other, in repositories that this run alone uses."""
    registry = Registry(url)
    try:
        return [run(check, registry) for check in checks]
    finally:
        registry.wire.close()


def passed(results: Sequence[Result]) -> bool:
    """Whether every check passed, and there was one; what the registry declined did not pass."""
    return bool(results) and all(result.status == "Pass" for result in results)


def summary(results: Sequence[Result]) -> str:
    """The counts in one line."""
    counts = Counter(result.status for result in results)
    skipped = f", {counts['Skip']} skipped" if counts["Skip"] else ""
    return f"own conformance: {counts['Pass']} passed, {counts['Fail']} failed{skipped}"


def as_json(result: Result) -> dict[str, str]:
    """One result as JSON."""
    check = result.check
    return {
        "group": check.group,
        "name": check.name,
        "demand": check.demand,
        "status": result.status,
        "reason": result.reason,
    }


if __name__ == "__main__":
    sys.exit(main())
