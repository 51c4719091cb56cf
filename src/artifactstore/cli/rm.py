"""`artifactstore rm`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from artifactstore.cli import completing
from artifactstore.cli.deleting import Change, Consent, DryRun, Yes, carry_out
from artifactstore.cli.examples import examples
from artifactstore.cli.store import AsJson, Data, Server
from artifactstore.cli.stores import Json, Store, with_store

if TYPE_CHECKING:
    from artifactstore.identity.references import PackageName

TAGS_SHOWN_MAX = 10
Targets = Annotated[
    list[str],
    typer.Argument(
        metavar="REPO:TAG|REPO@DIGEST",
        help="Tags to take away, and packages by digest.",
        autocompletion=completing.packages,
    ),
]
Whole = Annotated[
    bool, typer.Option("--package", help="With a tag: delete the package that it names, not the tag alone.")
]


@examples(
    "rm acme/reports:old",
    "rm acme/reports:v1 --package --dry-run",
    "rm acme/reports:v1 acme/reports:v2 --yes",
)
def rm(
    targets: Targets,
    whole: Whole = False,
    yes: Yes = False,
    dry_run: DryRun = False,
    data: Data = None,
    server: Server = None,
    as_json: AsJson = False,
) -> None:
    """Delete tags and packages: a tag goes alone, a digest takes the package and every tag on it.

    Asks first. Several are deleted in order, tags before packages; the first error ends the command.
    """
    from artifactstore.identity.references import PackageName

    names = list(dict.fromkeys(map(PackageName.parse, targets)))
    consent = Consent(yes, dry_run, as_json)
    plans = with_store(data, server, lambda store: _plans(store, names, whole))
    changes = [change for plan in plans for change in plan.changes]
    size = sum(plan.size for plan in plans)
    carry_out(changes, size, lambda: with_store(data, server, lambda store: _delete(store, plans)), consent)


class TagPlan:
    """A tag that goes alone."""

    size = 0

    def __init__(self, name: PackageName, package: Json) -> None:
        left = [tag for tag in package["tags"] if tag != name.reference]
        shown = left[:TAGS_SHOWN_MAX] + ["..."] * (len(left) > TAGS_SHOWN_MAX)
        detail = f"still tagged {', '.join(shown)}" if left else "no tag is left on it"
        self.name = name
        self.changes = [
            Change("deleted", "tag", str(name)),
            Change("stays", "package", f"{name.repository}@{package['digest']}", detail),
        ]

    async def carry_out(self, store: Store) -> None:
        """Delete the tag."""
        from artifactstore.identity.names import TagName

        await store.delete_tag(self.name.repository, TagName(self.name.reference))


class PackagePlan:
    """A package that goes with its tags."""

    def __init__(self, name: PackageName, gone: Json, referrers: Sequence[Json]) -> None:
        self.name = name
        self.digest: str = gone["digest"]
        self.size: int = gone["size"]
        more = gone["tag_count"] - len(gone["tags"])
        self.changes = [
            Change("deleted", "package", self._at(self.digest)),
            *(Change("deleted", "tag", f"{name.repository}:{tag}") for tag in gone["tags"]),
            *([Change("deleted", "tags", f"{more} more")] if more > 0 else []),
            *(Change("stays", "member", self._at(member), "the index listed it") for member in gone["members"]),
            *(Change("orphaned", row["role"], self._at(row["digest"]), _how_attached(row)) for row in referrers),
        ]

    async def carry_out(self, store: Store) -> None:
        """Delete the package."""
        from artifactstore.identity.digest import Digest

        await store.delete_package(self.name.repository, Digest.parse(self.digest))

    def _at(self, digest: str) -> str:
        return f"{self.name.repository}@{digest}"


async def _plans(store: Store, names: Sequence[PackageName], whole: bool) -> list[TagPlan | PackagePlan]:
    """What each deletion does, tags first; a package that is named twice goes once."""
    from artifactstore.identity.digest import Digest

    tags, packages = [], {}
    for name in names:
        if whole or isinstance(name.reference, Digest):
            gone = await store.deletion(name)
            referrers = [row async for row in store.referrers(name)]
            packages[name.repository, gone["digest"]] = PackagePlan(name, gone, referrers)
        else:
            tags.append(TagPlan(name, await store.package(name)))
    return [*tags, *packages.values()]


async def _delete(store: Store, plans: Sequence[TagPlan | PackagePlan]) -> None:
    for plan in plans:
        await plan.carry_out(store)


def _how_attached(row: Json) -> str:
    return "it is its subject" if row["tag"] is None else f"attached by the tag {row['tag']}"
