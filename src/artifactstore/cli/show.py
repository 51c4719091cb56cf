"""`artifactstore show`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from artifactstore.cli import output
from artifactstore.cli.examples import examples
from artifactstore.cli.store import AsJson, Data, Package, Server
from artifactstore.cli.stores import Store, with_store

if TYPE_CHECKING:
    from artifactstore.identity.references import PackageName

REFERRER = ("role", "digest", "artifact_type", "via", "tag")
SHOWN = ("digest", "content_address", "manifest_digest", "kind", "media_type", "role", "origin", "created")


@examples(
    "show acme/reports:v1",
    "show acme/reports:v1 --json",
    "show acme/reports:v1 --server https://artifacts.example.org",
)
def show(package: Package, data: Data = None, server: Server = None, as_json: AsJson = False) -> None:
    """Describe a package: what it is, its files, and what refers to it."""
    from artifactstore.identity.references import PackageName

    name = PackageName.parse(package)
    found = with_store(data, server, lambda store: _describe(store, name))
    if as_json:
        output.json_document(found)
    else:
        _print(found)


async def _describe(store: Store, name: PackageName) -> dict[str, Any]:
    """The package as the API has it, with all its files and referrers."""
    files = [file async for file in store.files(name)]
    referrers = [referrer async for referrer in store.referrers(name)]
    return await store.package(name) | {"files": files, "referrers": referrers}


def _print(found: dict[str, Any]) -> None:
    kept = found["retention"] or {"class": "-", "expires_at": None}
    output.pairs(
        {
            "repository": found["repository"],
            "tags": found["tags"] + ["..."] * found["tags_truncated"] or None,
            **{name: found[name] for name in SHOWN},
            "pushed": f"{found['pushed_at']} by {found['pushed_by']}, event {found['sequence']}",
            "retention": f"{kept['class']}, until {kept['expires_at'] or 'ever'}",
            "files": f"{found['file_count']}, {output.size(found['files_size'])}",
        }
    )
    _section("METADATA", ("NAME", "VALUE"), list(found["metadata"].items()))
    _section("FILES", ("PATH", "SIZE", "DIGEST"), [_file_row(file) for file in found["files"]])
    columns = ("ROLE", "DIGEST", "ARTIFACT TYPE", "VIA", "TAG")
    _section("REFERRERS", columns, [tuple(row[name] for name in REFERRER) for row in found["referrers"]])


def _section(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    if rows:
        output.lines("", title)
        output.table(columns, rows)


def _file_row(file: dict[str, Any]) -> tuple[object, ...]:
    digest = file["content_address"] or f"{next(iter(file['digests'].values()))} (absent)"
    return (file["path"], output.size(file["size"]), digest)
