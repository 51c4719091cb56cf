"""`artifactstore show`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from artifactstore.cli import output
from artifactstore.cli.store import AsJson, Data, Package, with_registry

if TYPE_CHECKING:
    from artifactstore.identity.references import PackageName
    from artifactstore.registry.registry import Registry

PAGE = 1000
REFERRER = ("role", "digest", "artifact_type", "via")
SHOWN = ("digest", "content_address", "manifest_digest", "kind", "media_type", "role", "origin", "created")


def show(package: Package, data: Data = None, as_json: AsJson = False) -> None:
    """Describe a package: what it is, its files, and what refers to it."""
    from artifactstore.identity.references import PackageName

    name = PackageName.parse(package)
    found = with_registry(data, lambda registry: _describe(registry, name))
    if as_json:
        output.json_document(found)
    else:
        _print(found)


async def _describe(registry: Registry, name: PackageName) -> dict[str, Any]:
    """The package as the API has it, with all its files and referrers."""
    from artifactstore.identity.actor import ANONYMOUS
    from artifactstore.registry import rendering

    here = (ANONYMOUS, name.repository, name.reference)
    files: list[dict[str, Any]] = []
    position = 0
    while page := await registry.files(*here, position=position, limit=PAGE):
        files += map(rendering.file, page)
        position = page[-1].row.position + 1
    referrers: list[dict[str, Any]] = []
    after = 0
    while attached := await registry.attachments(*here, after=after, limit=PAGE):
        referrers += map(rendering.attachment, attached)
        after = attached[-1].row.sequence
    return rendering.package(await registry.package(*here)) | {"files": files, "referrers": referrers}


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
    columns = ("ROLE", "DIGEST", "ARTIFACT TYPE", "VIA")
    _section("REFERRERS", columns, [tuple(row[name] for name in REFERRER) for row in found["referrers"]])


def _section(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    if rows:
        output.lines("", title)
        output.table(columns, rows)


def _file_row(file: dict[str, Any]) -> tuple[object, ...]:
    digest = file["content_address"] or f"{next(iter(file['digests'].values()))} (absent)"
    return (file["path"], output.size(file["size"]), digest)
