"""`artifactstore cp`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from artifactstore.cli import output
from artifactstore.cli.examples import examples
from artifactstore.cli.store import AsJson, Data, Package, Server
from artifactstore.cli.transfers import JOBS, DryRun, Jobs, WithReferrers, opened, show, told

if TYPE_CHECKING:
    from artifactstore.identity.names import RepositoryName
    from artifactstore.identity.references import PackageName
    from artifactstore.transfer import Report, Root

Into = Annotated[
    str, typer.Argument(metavar="REPO[:TAG]", help="Where it goes; under its own tag where none is given.")
]


@examples(
    "cp acme/staging:v1 acme/production",
    "cp acme/staging:v1 acme/production:stable --with-referrers",
    "cp acme/staging:v1 acme/live:v1 --server http://127.0.0.1:8000",
)
def cp(
    package: Package,
    into: Into,
    with_referrers: WithReferrers = False,
    dry_run: DryRun = False,
    jobs: Jobs = JOBS,
    data: Data = None,
    server: Server = None,
    as_json: AsJson = False,
) -> None:
    """Copy a package to another repository of the store, or to another tag. No bytes are moved: blobs are mounted."""
    import asyncio

    from artifactstore.errors import NameInvalid
    from artifactstore.identity.digest import Digest
    from artifactstore.identity.names import TagName
    from artifactstore.identity.references import PackageName, parse_name
    from artifactstore.transfer import Root

    name = PackageName.parse(package)
    repository, tag = parse_name(into)
    if isinstance(tag, Digest):
        raise NameInvalid("a copy has the digest that it has: expected REPO or REPO:TAG")
    own = name.reference if isinstance(name.reference, TagName) else None
    root = Root(name.reference, tag or own)
    report = asyncio.run(_copy(data, server, name, repository, root, with_referrers, jobs, dry_run))
    show({repository: report}, as_json=as_json, dry_run=dry_run)


async def _copy(
    data: str | None,
    server: str | None,
    name: PackageName,
    repository: RepositoryName,
    root: Root,
    with_referrers: bool,
    jobs: int,
    dry_run: bool,
) -> Report:
    from artifactstore.transfer import copy
    from artifactstore.transfer.pretending import Pretending

    with output.transferring("copying") as progress:
        async with opened(data, server) as store:
            target = store(repository)
            return await copy(
                store(name.repository),
                Pretending(target) if dry_run else target,
                [root],
                referrers=with_referrers,
                jobs=jobs,
                on_progress=told(progress),
            )
