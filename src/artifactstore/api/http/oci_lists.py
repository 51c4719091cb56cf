"""Lists over HTTP: tags, repositories, and what is offered beyond the specification."""

from __future__ import annotations

from artifactstore.api.http import oci_headers
from artifactstore.api.http import oci_request as ask
from artifactstore.api.http.answers import Answer, json_answer
from artifactstore.api.http.calls import Call
from artifactstore.identity.names import RepositoryName
from artifactstore.registry.registry import Registry

EXTENSIONS = {
    "extensions": [
        {
            "name": "_oci",
            "url": "https://github.com/opencontainers/distribution-spec/tree/main/extensions",
            "description": "discovery, repository listing (proposal 611) and tag history (proposal 606)",
            "endpoints": ["_oci/ext/discover", "_oci/repositories", "_oci/tag-history"],
        }
    ]
}


async def ping(registry: Registry, request: ask.Ping, call: Call) -> Answer:
    """end-1."""
    return json_answer({})


async def discover(registry: Registry, request: ask.Discover, call: Call) -> Answer:
    """`_oci/ext/discover`: the same for every repository."""
    return json_answer(EXTENSIONS)


async def list_tags(registry: Registry, request: ask.TagList, call: Call) -> Answer:
    """end-8a, end-8b: byte order, `last` exclusive; fewer than `n` only at the end or with a Link."""
    name, page = request.repository, request.page
    size = page_size(registry, page.size)
    tags = await registry.tags(call.principal, name, last=page.last, limit=size + 1)
    shown = tags[:size]
    headers = _next(f"/v2/{name}/tags/list", page, shown, more=len(tags) > size)
    return json_answer({"name": name, "tags": shown}, headers=headers)


async def list_catalog(registry: Registry, request: ask.Catalog, call: Call) -> Answer:
    """`_catalog`, as docker's registry had it: names in byte order."""
    names, headers = await _repositories(registry, call, "/v2/_catalog", None, request.page)
    return json_answer({"repositories": names}, headers=headers)


async def list_repositories(registry: Registry, request: ask.RepositoryList, call: Call) -> Answer:
    """`_oci/repositories`: the repositories at and under a prefix of whole segments, or all."""
    names, headers = await _repositories(registry, call, call.path, request.prefix, request.page)
    return json_answer([{"name": name} for name in names], headers=headers)


def page_size(registry: Registry, asked: int | None) -> int:
    """How many entries a page may have: what was asked for, within the limit of this registry."""
    most = registry.policy.page_size_max
    return most if asked is None else min(asked, most)


async def _repositories(
    registry: Registry, call: Call, path: str, prefix: RepositoryName | None, page: ask.Page
) -> tuple[list[str], tuple[oci_headers.Header, ...]]:
    size = page_size(registry, page.size)
    rows = await registry.repositories(call.principal, prefix=prefix, last=page.last, limit=size + 1)
    names = [row.name for row in rows[:size]]
    return names, _next(path, page, names, more=len(rows) > size)


def _next(path: str, page: ask.Page, shown: list[str], *, more: bool) -> tuple[oci_headers.Header, ...]:
    """The Link to what follows the last shown entry; none after an empty page, which `n=0` asks for."""
    if not more or not shown:
        return ()
    return (oci_headers.next_link(path, (("n", page.size), ("last", shown[-1]))),)
