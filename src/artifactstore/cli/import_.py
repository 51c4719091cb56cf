"""`artifactstore import`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from artifactstore.cli import output
from artifactstore.cli.examples import examples
from artifactstore.cli.store import AsJson, Data, Server, settings
from artifactstore.cli.transfers import JOBS, DryRun, Jobs, WithReferrers, opened, show, told

if TYPE_CHECKING:
    from artifactstore.identity.names import RepositoryName, TagName
    from artifactstore.transfer import Report, Root, Source

    Steps = Sequence[tuple[RepositoryName, Source, list[Root]]]

What = Annotated[
    str | None,
    typer.Argument(
        metavar="LAYOUT",
        help="An OCI image layout: a directory, an archive, or - for one on standard input. Left out with --from.",
    ),
]
Into = Annotated[
    str | None,
    typer.Argument(
        metavar="REPO[:TAG]",
        help="Where it goes. Default: the repository and the tags that it has where it comes from.",
    ),
]
From = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="REGISTRY/REPO[:TAG|@DIGEST]",
        help="Copy from a registry, all tags where none is given. Put http:// before it if it does not speak https.",
    ),
]


@examples(
    "import reports.tar",
    "import --from registry.example/team/app mirror/app --jobs 8",
    "import --from http://127.0.0.1:5000/team/app:v1",
)
def import_(
    what: What = None,
    into: Into = None,
    registry: From = None,
    with_referrers: WithReferrers = True,
    dry_run: DryRun = False,
    jobs: Jobs = JOBS,
    data: Data = None,
    server: Server = None,
    as_json: AsJson = False,
) -> None:
    """Take packages over from an OCI image layout, or from another registry with the login that docker has for it.

    The digest of all that is carried is verified, and nothing is tagged before all of it is there. An import that was
    interrupted goes on where it was when it is begun again.
    """
    import asyncio

    from artifactstore.errors import ParameterInvalid

    if registry is not None and into is not None:
        raise ParameterInvalid("a layout and --from exclude each other")
    if registry is None and what is None:
        raise ParameterInvalid("name a layout, or a registry with --from")
    name, tag = _target(what if registry is not None else into)
    copying = _Copying(data, server, with_referrers, jobs, dry_run)
    doing = copying.layout(what or "-", name, tag) if registry is None else copying.registry(registry, name, tag)
    show(asyncio.run(doing), as_json=as_json, dry_run=dry_run)


def _target(text: str | None) -> tuple[RepositoryName | None, TagName | None]:
    """Raises NameInvalid."""
    from artifactstore.errors import NameInvalid
    from artifactstore.identity.digest import Digest
    from artifactstore.identity.references import parse_name

    if text is None:
        return None, None
    repository, reference = parse_name(text)
    if isinstance(reference, Digest):
        raise NameInvalid("what is imported has the digest that it has: expected REPO or REPO:TAG")
    return repository, reference


class _Copying:
    """The options that both kinds of import have."""

    def __init__(self, data: str | None, server: str | None, with_referrers: bool, jobs: int, dry_run: bool) -> None:
        self._data = data
        self._server = server
        self._with_referrers = with_referrers
        self._jobs = jobs
        self._dry_run = dry_run

    async def layout(
        self, place: str, repository: RepositoryName | None, tag: TagName | None
    ) -> dict[RepositoryName, Report]:
        """From a layout."""
        from artifactstore.transfer import open_layout

        async with await open_layout(sys.stdin.buffer if place == "-" else Path(place)) as layout:
            parts = await layout.parts(repository, tag)
            return await self._copy([(part.repository, part.source, part.roots) for part in parts])

    async def registry(
        self, text: str, repository: RepositoryName | None, tag: TagName | None
    ) -> dict[RepositoryName, Report]:
        """From a registry. Raises ParameterInvalid when one tag shall name many."""
        from artifactstore.client.auth import connect
        from artifactstore.client.references import RemoteName
        from artifactstore.client.registry import RemoteRepository
        from artifactstore.errors import ParameterInvalid
        from artifactstore.identity.names import TagName
        from artifactstore.transfer import Root, roots_of

        name = RemoteName.parse(text)
        if tag is not None and name.reference is None:
            raise ParameterInvalid("one tag cannot name all that the repository has: name a tag or digest of it")
        async with connect(name.address, f"repository:{name.repository}:pull") as http:
            limit = settings(data=self._data).manifest_size_max
            source = RemoteRepository(http, name.repository, manifest_size_max=limit)
            own = name.reference if isinstance(name.reference, TagName) else None
            roots = await roots_of(source) if name.reference is None else [Root(name.reference, tag or own)]
            return await self._copy([(repository or name.repository, source, roots)])

    async def _copy(self, steps: Steps) -> dict[RepositoryName, Report]:
        from artifactstore.transfer import copy
        from artifactstore.transfer.pretending import Pretending

        reports = {}
        with output.transferring("importing") as progress:
            async with opened(self._data, self._server) as store:
                for repository, source, roots in steps:
                    target = store(repository)
                    reports[repository] = await copy(
                        source,
                        Pretending(target) if self._dry_run else target,
                        roots,
                        referrers=self._with_referrers,
                        jobs=self._jobs,
                        on_progress=told(progress),
                    )
        return reports
