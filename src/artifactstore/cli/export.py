"""`artifactstore export`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from artifactstore.cli import output
from artifactstore.cli.examples import examples
from artifactstore.cli.store import AsJson, Data, Server
from artifactstore.cli.transfers import JOBS, Jobs, WithReferrers, opened, show, told

if TYPE_CHECKING:
    from artifactstore.identity.names import RepositoryName
    from artifactstore.transfer import Report, Root
    from artifactstore.transfer.spi import Reference, Source

Names = Annotated[
    list[str],
    typer.Argument(metavar="REPO[:TAG|@DIGEST]", help="What to export; of a repository alone all its tags."),
]
Place = Annotated[
    str,
    typer.Argument(metavar="LAYOUT", help="Where to: a directory, FILE.tar, or - for an archive on standard output."),
]


@examples(
    "export acme/reports:v1 reports.tar",
    "export acme/reports acme/charts:1.2 ./layout",
    "export acme/reports:v1 - | ssh vault artifactstore import -",
)
def export(
    names: Names,
    layout: Place,
    with_referrers: WithReferrers = True,
    jobs: Jobs = JOBS,
    data: Data = None,
    server: Server = None,
    as_json: AsJson = False,
) -> None:
    """Write packages as an OCI image layout, with their native manifests. The same packages give the same archive."""
    import asyncio

    from artifactstore.errors import BackendUnavailable, ParameterInvalid
    from artifactstore.identity.references import parse_name

    wanted: dict[RepositoryName, list[Reference | None]] = {}
    for text in names:
        repository, reference = parse_name(text)
        wanted.setdefault(repository, []).append(reference)
    to_stream = layout == "-"
    if to_stream and output.is_terminal():
        raise ParameterInvalid("an archive is not for a terminal: send it to a file or a program")
    place = sys.stdout.buffer if to_stream else Path(layout)
    try:
        reports = asyncio.run(_export(data, server, wanted, place, with_referrers, jobs))
    except BackendUnavailable as error:
        if isinstance(error.__cause__, BrokenPipeError):  # whoever read the archive stopped reading
            raise error.__cause__ from None
        raise
    show(reports, as_json=as_json, aside=to_stream)


async def _export(
    data: str | None,
    server: str | None,
    wanted: dict[RepositoryName, list[Reference | None]],
    place: Path | BinaryIO,
    with_referrers: bool,
    jobs: int,
) -> dict[RepositoryName, Report]:
    from artifactstore.transfer import copy, new_layout

    reports = {}
    with output.transferring("exporting") as progress:
        async with opened(data, server) as store, new_layout(place, progress) as layout:
            on_progress = told(progress) if isinstance(place, Path) and place.suffix != ".tar" else None
            for repository, references in wanted.items():
                source = store(repository)
                reports[repository] = await copy(
                    source,
                    layout.target(repository),
                    await _roots(source, references),
                    referrers=with_referrers,
                    jobs=jobs,
                    on_progress=on_progress,
                )
            await layout.finish()
    return reports


async def _roots(source: Source, references: list[Reference | None]) -> list[Root]:
    """What was asked for of one repository; None is every tag of it."""
    from artifactstore.identity.names import TagName
    from artifactstore.transfer import Root, roots_of

    named = [Root(name, name if isinstance(name, TagName) else None) for name in references if name is not None]
    return [*(await roots_of(source) if None in references else ()), *named]
