"""`artifactstore events`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Annotated

import typer

from artifactstore.cli import output
from artifactstore.cli.store import AsJson, Data, with_registry

if TYPE_CHECKING:
    from artifactstore.events.model import Event
    from artifactstore.identity.names import RepositoryName
    from artifactstore.registry.registry import Registry

PAGE = 1000
After = Annotated[int, typer.Option("--after", metavar="N", min=0, help="Begin after this sequence.")]
Follow = Annotated[bool, typer.Option("--follow", "-f", help="Go on with events as they come, until Ctrl-C.")]
OfRepository = Annotated[str | None, typer.Option("--repository", metavar="REPO", help="Of this repository only.")]


def events(
    after: After = 0,
    follow: Follow = False,
    repository: OfRepository = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Print the log from a sequence on, an event a line; with --json as NDJSON, payloads included."""
    from artifactstore.identity.names import RepositoryName

    name = None if repository is None else RepositoryName.parse(repository)

    async def print_all(registry: Registry) -> None:
        found = _followed(registry, after, name) if follow else _recorded(registry, after, name)
        async for event in found:
            _print(event, as_json, flush=follow)

    with_registry(data, print_all)


async def _recorded(registry: Registry, after: int, repository: RepositoryName | None) -> AsyncIterator[Event]:
    """What the log holds now. Raises LogRewound."""
    from artifactstore.identity.actor import ANONYMOUS

    end = (await registry.head()).sequence
    while True:
        page = await registry.events(ANONYMOUS, after=after, repository=repository, limit=PAGE)
        for event in page.events:
            yield event
        after = page.scanned
        if after >= end:
            return


async def _followed(registry: Registry, after: int, repository: RepositoryName | None) -> AsyncIterator[Event]:
    """What the log holds, and what comes. Raises LogRewound."""
    from artifactstore.identity.actor import ANONYMOUS

    async for event in registry.tail(ANONYMOUS, after):
        if repository is None or event.stream == repository:
            yield event


def _print(event: Event, as_json: bool, *, flush: bool) -> None:
    from artifactstore.registry import rendering

    if as_json:
        output.json_document(rendering.event(event, inline=True))
    else:
        time = rendering.rfc3339(event.time)
        output.row((event.sequence, time, event.type, event.stream, event.actor))
    if flush:
        output.flush()
