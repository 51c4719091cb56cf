"""`artifactstore tag`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from artifactstore.cli import output
from artifactstore.cli.examples import examples
from artifactstore.cli.store import AsJson, Data, Package, Server
from artifactstore.cli.stores import Json, Store, with_store

if TYPE_CHECKING:
    from artifactstore.identity.names import TagName
    from artifactstore.identity.references import PackageName

NewTags = Annotated[list[str], typer.Argument(metavar="TAG", help="The tags that shall name it from now on.")]


@examples(
    "tag acme/reports:v1 stable",
    "tag acme/reports:v1 v1.2 v1 --server http://127.0.0.1:8000",
)
def tag(package: Package, tags: NewTags, data: Data = None, server: Server = None, as_json: AsJson = False) -> None:
    """Let tags name a package of their repository; a tag that named another one moves."""
    from artifactstore.identity.names import TagName
    from artifactstore.identity.references import PackageName

    name = PackageName.parse(package)
    wanted = [TagName.parse(text) for text in dict.fromkeys(tags)]
    made = with_store(data, server, lambda store: _tag(store, name, wanted))
    if as_json:
        output.json_document(made)
    else:
        for text in made["tags"]:
            output.row((f"{made['repository']}:{text}", made["digest"]))


async def _tag(store: Store, name: PackageName, tags: list[TagName]) -> Json:
    digests = {await store.tag(name, text) for text in tags}
    return {"repository": name.repository, "digest": digests.pop(), "tags": tags}
