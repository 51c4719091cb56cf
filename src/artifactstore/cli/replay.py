"""`artifactstore replay`."""

from __future__ import annotations

from typing import Annotated

import typer

from artifactstore.cli import output
from artifactstore.cli.errors import Exit
from artifactstore.cli.examples import examples
from artifactstore.cli.store import AsJson, Data, existing

Check = Annotated[bool, typer.Option("--check", help="Compare only: change nothing, and let writers go on meanwhile.")]


@examples(
    "replay --check",
    "replay --data /srv/artifacts",
)
def replay(check: Check = False, data: Data = None, as_json: AsJson = False) -> None:
    """Make every view again from the log, in one transaction; or compare them with it (ends with 1 if they differ)."""
    from artifactstore import bootstrap
    from artifactstore.events import migrate
    from artifactstore.events import replay as replays

    database = bootstrap.open_database(existing(data))
    migrate.require_current(database)
    with output.progress("replaying") as progress:
        report = (replays.check if check else replays.rebuild)(database, progress)
    if as_json:
        output.json_document({"events": report.events, "checked": check, "differences": list(report.differences)})
    else:
        output.lines(*report.differences)
        output.lines(f"{report.events} events replayed, {_outcome(check, len(report.differences))}")
    if report.differences:
        raise typer.Exit(Exit.FOUND)


def _outcome(check: bool, differences: int) -> str:
    if not check:
        return "the views are made again"
    return f"{differences} views differ from the log" if differences else "the views are what the log says"
