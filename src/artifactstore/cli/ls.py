"""`artifactstore ls`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from artifactstore.cli import output
from artifactstore.cli.store import AsJson, Data, with_registry

if TYPE_CHECKING:
    from artifactstore.identity.names import RepositoryName
    from artifactstore.registry.registry import Registry

PAGE = 1000
Repository = Annotated[str | None, typer.Argument(metavar="REPO", help="List the packages of this repository.")]
Every = Annotated[bool, typer.Option("--all", help="List members of indexes, signatures, attestations and SBOMs too.")]


def ls(repository: Repository = None, everything: Every = False, data: Data = None, as_json: AsJson = False) -> None:
    """List repositories; or the packages of one, newest first, with their tags."""
    from artifactstore.identity.names import RepositoryName

    if repository is None:
        found = with_registry(data, _repositories)
    else:
        name = RepositoryName.parse(repository)
        found = with_registry(data, lambda registry: _packages(registry, name, everything))
    if as_json:
        output.json_document({"repositories" if repository is None else "packages": found})
    elif repository is None:
        output.table(("REPOSITORY", "SINCE"), ((row["name"], row["created_at"]) for row in found))
    else:
        output.table(("TAGS", "DIGEST", "KIND", "FILES", "SIZE", "PUSHED"), map(_package_row, found))


async def _repositories(registry: Registry) -> list[dict[str, Any]]:
    from artifactstore.identity.actor import ANONYMOUS
    from artifactstore.registry import rendering

    found: list[dict[str, Any]] = []
    last = ""
    while page := await registry.repositories(ANONYMOUS, last=last, limit=PAGE):
        found += map(rendering.repository, page)
        last = page[-1].name
    return found


async def _packages(registry: Registry, name: RepositoryName, everything: bool) -> list[dict[str, Any]]:
    """Raises RepositoryUnknown."""
    from artifactstore.identity.actor import ANONYMOUS
    from artifactstore.registry import rendering
    from artifactstore.registry.manifests import LAST_SEQUENCE

    await registry.tags(ANONYMOUS, name, limit=1)  # an unknown repository is an error here, not an empty list
    found: list[dict[str, Any]] = []
    before = LAST_SEQUENCE
    while page := await registry.packages(
        ANONYMOUS, repository=name, members=everything, attachments=everything, before=before, limit=PAGE
    ):
        found += map(rendering.package, page)
        before = page[-1].row.stored_sequence
    return found


def _package_row(package: dict[str, Any]) -> tuple[object, ...]:
    tags = package["tags"] + ["..."] * package["tags_truncated"]
    size = output.size(package["files_size"])
    return (tags or None, package["digest"], package["kind"], package["file_count"], size, package["pushed_at"])
