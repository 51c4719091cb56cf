"""`artifactstore repo`: repositories as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from artifactstore.cli import completing, output
from artifactstore.cli.deleting import Change, Consent, DryRun, Yes, carry_out
from artifactstore.cli.examples import examples
from artifactstore.cli.store import AsJson, Data, Server
from artifactstore.cli.stores import Json, Store, with_store

if TYPE_CHECKING:
    from artifactstore.identity.names import RepositoryName

Prefix = Annotated[
    str | None,
    typer.Argument(
        metavar="PREFIX",
        help="This repository and those under it, by whole segments.",
        autocompletion=completing.repositories,
    ),
]
Names = Annotated[
    list[str],
    typer.Argument(metavar="REPO", help="The repositories to delete.", autocompletion=completing.repositories),
]
COLUMNS = ("REPOSITORY", "PACKAGES", "TAGS", "BLOBS", "SIZE", "SINCE")


@examples("repo ls", "repo ls acme --json", "repo ls --server http://127.0.0.1:8000")
def ls(prefix: Prefix = None, data: Data = None, server: Server = None, as_json: AsJson = False) -> None:
    """List repositories with what each holds: packages, tags, blobs, and the bytes of manifests and blobs."""
    from artifactstore.identity.names import RepositoryName

    under = None if prefix is None else RepositoryName.parse(prefix)
    found = with_store(data, server, lambda store: _held(store, under))
    if as_json:
        output.json_document({"repositories": found})
    else:
        output.table(COLUMNS, map(_row, found))


@examples(
    "repo rm acme/old --dry-run",
    "repo rm acme/old acme/older --yes",
)
def rm(
    names: Names,
    yes: Yes = False,
    dry_run: DryRun = False,
    data: Data = None,
    server: Server = None,
    as_json: AsJson = False,
) -> None:
    """Delete repositories with every package, tag, blob and open upload in them; each is one event.

    Asks first. The history of their tags stays. The first error ends the command.
    """
    from artifactstore.identity.names import RepositoryName

    repositories = [RepositoryName.parse(name) for name in dict.fromkeys(names)]
    consent = Consent(yes, dry_run, as_json)
    held = with_store(data, server, lambda store: _each(store, repositories))
    changes = [Change("deleted", "repository", row["name"], _counts(row)) for row in held]
    carry_out(changes, 0, lambda: with_store(data, server, lambda store: _delete(store, repositories)), consent)


async def _held(store: Store, prefix: RepositoryName | None) -> list[Json]:
    return [row async for row in store.repositories(prefix, holdings=True)]


async def _each(store: Store, names: Sequence[RepositoryName]) -> list[Json]:
    return [await store.repository(name) for name in names]


async def _delete(store: Store, names: Sequence[RepositoryName]) -> None:
    for name in names:
        await store.delete_repository(name)


def _row(row: Json) -> tuple[object, ...]:
    held = (row["packages"], row["tags"], row["blobs"], output.size(row["size"]))
    return (row["name"], *held, row["created_at"])


def _counts(row: Json) -> str:
    return f"{row['packages']} packages, {row['tags']} tags, {row['blobs']} blobs, {output.size(row['size'])}"
