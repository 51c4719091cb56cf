"""`artifactstore ls`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from artifactstore.cli import completing, output
from artifactstore.cli.examples import examples
from artifactstore.cli.store import AsJson, Data, Server
from artifactstore.cli.stores import Json, Store, with_store

if TYPE_CHECKING:
    from artifactstore.identity.names import RepositoryName, TagName

Repository = Annotated[
    str | None,
    typer.Argument(
        metavar="REPO", help="List the packages of this repository.", autocompletion=completing.repositories
    ),
]
Every = Annotated[bool, typer.Option("--all", help="List members of indexes, signatures, attestations and SBOMs too.")]
OfKind = Annotated[str | None, typer.Option("--kind", metavar="KIND", help="Packages of this kind only.")]
OfTag = Annotated[
    str | None,
    typer.Option("--tag", metavar="TAG", help="The package with this tag only."),
]


@examples(
    "ls",
    "ls acme/reports --tag v1",
    "ls acme/reports --all --server http://127.0.0.1:8000",
)
def ls(
    repository: Repository = None,
    everything: Every = False,
    kind: OfKind = None,
    tag: OfTag = None,
    data: Data = None,
    server: Server = None,
    as_json: AsJson = False,
) -> None:
    """List repositories; or the packages of one, newest first, with their tags."""
    from artifactstore.errors import ParameterInvalid
    from artifactstore.identity.names import RepositoryName, TagName

    if repository is None:
        if everything or kind or tag:
            raise ParameterInvalid("--all, --kind and --tag are for the packages of a repository: name one")
        _print_repositories(with_store(data, server, _repositories), as_json)
    else:
        name = RepositoryName.parse(repository)
        only = None if tag is None else TagName.parse(tag)
        found = with_store(data, server, lambda store: _packages(store, name, only, kind, everything))
        _print_packages(found, as_json)


async def _repositories(store: Store) -> list[Json]:
    return [row async for row in store.repositories(None)]


async def _packages(
    store: Store, name: RepositoryName, tag: TagName | None, kind: str | None, everything: bool
) -> list[Json]:
    """Raises RepositoryUnknown."""
    await store.repository(name)  # an unknown repository is an error here, not an empty list
    return [package async for package in store.packages(name, tag=tag, kind=kind, everything=everything)]


def _print_repositories(found: list[Json], as_json: bool) -> None:
    if as_json:
        output.json_document({"repositories": found})
    else:
        output.table(("REPOSITORY", "SINCE"), ((row["name"], row["created_at"]) for row in found))


def _print_packages(found: list[Json], as_json: bool) -> None:
    if as_json:
        output.json_document({"packages": found})
    else:
        output.table(("TAGS", "DIGEST", "KIND", "FILES", "SIZE", "PUSHED"), map(_package_row, found))


def _package_row(package: dict[str, Any]) -> tuple[object, ...]:
    tags = package["tags"] + ["..."] * package["tags_truncated"]
    size = output.size(package["files_size"])
    return (tags or None, package["digest"], package["kind"], package["file_count"], size, package["pushed_at"])
