"""`artifactstore sweep`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from artifactstore.cli import output
from artifactstore.cli.examples import examples
from artifactstore.cli.store import AsJson, Data, with_registry

DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be removed, and remove nothing.")]


@examples(
    "sweep --dry-run",
    "sweep --data /srv/artifacts --json",
)
def sweep(dry_run: DryRun = False, data: Data = None, as_json: AsJson = False) -> None:
    """Remove what crashes and abandoned uploads left. What a fact in the log names is never removed."""
    with output.working("sweeping"):
        report = with_registry(data, lambda registry: registry.sweep(dry_run=dry_run))
    if as_json:
        output.json_document({"dry_run": dry_run, **asdict(report)})
    else:
        verb = "would be removed" if dry_run else "removed"
        output.lines(f"{report.uploads} uploads and {report.objects} objects {verb}, {output.size(report.bytes)}")
