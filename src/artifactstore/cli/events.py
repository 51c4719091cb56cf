"""`artifactstore events`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from artifactstore.cli import completing, output
from artifactstore.cli.examples import examples
from artifactstore.cli.store import AsJson, Data, Server
from artifactstore.cli.stores import Store, with_store

After = Annotated[int, typer.Option("--after", metavar="N", min=0, help="Begin after this sequence.")]
Follow = Annotated[bool, typer.Option("--follow", "-f", help="Go on with events as they come, until Ctrl-C.")]
OfRepository = Annotated[
    str | None,
    typer.Option(
        "--repository", metavar="REPO", help="Of this repository only.", autocompletion=completing.repositories
    ),
]
OfType = Annotated[
    list[str] | None,
    typer.Option(
        "--type",
        metavar="TYPE",
        help="Of this type only; may be given several times.",
        autocompletion=completing.event_types,
    ),
]


@examples(
    "events --after 1000 --json",
    "events --follow --repository acme/reports",
    "events --type v1.repository.deleted --type v1.manifest.deleted",
)
def events(
    after: After = 0,
    follow: Follow = False,
    repository: OfRepository = None,
    types: OfType = None,
    data: Data = None,
    server: Server = None,
    as_json: AsJson = False,
) -> None:
    """Print the log from a sequence on, an event a line; with --json as NDJSON, payloads included."""
    from artifactstore.identity.names import RepositoryName

    name = None if repository is None else RepositoryName.parse(repository)
    wanted = _known(types or [])

    async def print_all(store: Store) -> None:
        async for event in store.events(after, name, follow=follow):
            if not wanted or event["type"] in wanted:
                _print(event, as_json)
            if follow:
                output.flush()

    with_store(data, server, print_all)


def _known(types: list[str]) -> frozenset[str]:
    """The types themselves. A misspelt one would wait for ever: raises ParameterInvalid."""
    from artifactstore.errors import ParameterInvalid
    from artifactstore.events.model import FACTS

    for name in types:
        if name not in FACTS:
            raise ParameterInvalid(f"{name[:100]} is no type of event", detail={"known": ", ".join(FACTS)})
    return frozenset(types)


def _print(event: dict[str, Any], as_json: bool) -> None:
    if as_json:
        output.json_document(event)
    else:
        output.row([event[name] for name in ("sequence", "time", "type", "stream", "actor")])
