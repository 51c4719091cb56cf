"""`artifactstore backup`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from artifactstore.cli import output
from artifactstore.cli.errors import Exit
from artifactstore.cli.examples import examples
from artifactstore.cli.store import AsJson, Data, existing

if TYPE_CHECKING:
    from artifactstore.backup.report import CopyReport

Directory = Annotated[str, typer.Argument(metavar="DIR", help="The directory of the backup: empty, or an earlier one.")]
Verify = Annotated[
    bool, typer.Option("--verify", help="Read what is in DIR already again too, and compare every view with the log.")
]


@examples(
    "backup /backup/artifacts",
    "backup /backup/artifacts --verify --data /srv/artifacts --json",
)
def backup(directory: Directory, verify: Verify = False, data: Data = None, as_json: AsJson = False) -> None:
    """Copy the store to DIR while it serves: what is new there since the last backup, all of one moment, checked.

    DIR is then a data directory like any other. Ends with 6 when something in the store is damaged; the rest is copied.
    """
    from artifactstore import bootstrap

    show(bootstrap.backup(existing(data), directory, verify=verify, stage=output.progress), as_json)


def show(report: CopyReport, as_json: bool) -> None:
    """Print what a copy came to; ends with 6 when it is not whole."""
    if as_json:
        output.json_document({"sound": report.sound, **asdict(report)})
    else:
        for damage in report.damaged:
            needed = ", ".join(damage.named_by) or "nothing that is live"
            output.row(("damaged", damage.digest, output.size(damage.size), damage.problem, f"needed by {needed}"))
        output.lines(*report.differences)
        output.pairs(
            {
                "log": report.log_id,
                "head": report.sequence,
                "leaf hash": report.leaf_hash,
                "objects": f"{report.objects}, {output.size(report.bytes)}",
                "copied": f"{report.copied}, {output.size(report.copied_bytes)}",
                "already there": report.present,
                "repaired": report.replaced,
                "damaged": len(report.damaged),
            }
        )
    if not report.sound:
        raise typer.Exit(Exit.CORRUPT)
