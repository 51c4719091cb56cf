"""What the commands that copy share: where they copy from and to, how far they are, and what they did."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from artifactstore.cli import output
from artifactstore.cli.store import existing

if TYPE_CHECKING:
    from artifactstore.identity.names import RepositoryName
    from artifactstore.transfer import Amounts, Report
    from artifactstore.transfer.spi import Repository

Jobs = Annotated[int, typer.Option("--jobs", "-j", metavar="N", min=1, max=64, help="So many transfers at a time.")]
JOBS = 4
WithReferrers = Annotated[
    bool,
    typer.Option(
        "--with-referrers/--without-referrers",
        help="Whether what refers to it (signatures, attestations, SBOMs) comes along, over any number of steps. "
        "`cp` leaves it where it is unless told; `export` and `import` take it along.",
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be copied, and change nothing.")]
Reports = Mapping["RepositoryName", "Report"]


@asynccontextmanager
async def opened(data: str | None, server: str | None) -> AsyncIterator[Callable[[RepositoryName], Repository]]:
    """The store that the options name; it gives its repositories by name.

    Raises ParameterInvalid, ConfigInvalid, SchemaUnsupported, BackendUnavailable.
    """
    from artifactstore.errors import ParameterInvalid

    if server is not None and data is not None:
        raise ParameterInvalid("--data and --server exclude each other")
    if server is not None:
        from artifactstore.client.auth import connect
        from artifactstore.client.registry import RemoteRepository

        async with connect(server) as http:
            yield lambda name: RemoteRepository(http, name, ours=True)
        return
    from artifactstore.bootstrap import open_registry
    from artifactstore.identity.actor import ANONYMOUS
    from artifactstore.transfer import LocalRepository

    registry = open_registry(existing(data))
    try:
        yield lambda name: LocalRepository(registry, ANONYMOUS, name)
    finally:
        await registry.close()


def told(progress: Callable[[int, int], None]) -> Callable[[Amounts], None]:
    """How the engine tells how far it is."""
    return lambda amounts: progress(amounts.bytes_done, amounts.bytes_total)


def show(reports: Reports, *, as_json: bool, dry_run: bool = False, aside: bool = False) -> None:
    """What was copied, as a document or for people; `aside`: standard output belongs to the content."""
    if aside:
        output.notes(_summary(_document(reports, dry_run)))
    elif as_json:
        output.json_document(_document(reports, dry_run))
    else:
        for repository, report in reports.items():
            for copied in report.roots:
                name = f"{repository}:{copied.tag}" if copied.tag else f"{repository}@{copied.content.digest}"
                output.row((name, copied.content.digest))
        output.notes(_summary(_document(reports, dry_run)))


def _document(reports: Reports, dry_run: bool) -> dict[str, Any]:
    every = list(reports.values())

    def total(name: str) -> int:
        return sum(getattr(report, name) for report in every)

    roots = [
        {"repository": repository, "tag": copied.tag, "digest": str(copied.content.digest)}
        for repository, report in reports.items()
        for copied in report.roots
    ]
    return {
        "dry_run": dry_run,
        "roots": roots,
        "tags": sum(len(report.tags) for report in every),
        "referrers": total("referrers"),
        "manifests": {"copied": total("manifests_copied"), "skipped": total("manifests_skipped")},
        "blobs": {name: total(f"blobs_{name}") for name in ("copied", "mounted", "skipped")},
        "bytes": total("bytes_copied"),
    }


def _summary(document: dict[str, Any]) -> str:
    manifests, blobs = document["manifests"], document["blobs"]
    return (
        f"{manifests['copied']} manifests and {blobs['copied']} blobs ({output.size(document['bytes'])}) "
        f"{'would be copied' if document['dry_run'] else 'copied'}, {blobs['mounted']} blobs mounted; "
        f"{manifests['skipped']} manifests and {blobs['skipped']} blobs were there"
    )
