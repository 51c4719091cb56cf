"""The native API beside the OCI one: what was pushed, as packages with files and typed metadata."""

from __future__ import annotations

from starlette.routing import BaseRoute

from artifactstore.api.http import native_files, native_packages, parameters
from artifactstore.api.http.answers import Answer, json_answer
from artifactstore.api.http.calls import Call
from artifactstore.api.http.endpoints import Endpoint, NativeRoute, Parameter
from artifactstore.api.http.schemas import TEXT, named
from artifactstore.registry import rendering
from artifactstore.registry.registry import Registry


async def repositories(registry: Registry, call: Call) -> Answer:
    """A page of repositories, in byte order."""
    size, last = parameters.page_size(call), call.parameter("last") or ""
    found = await registry.repositories(call.principal, last=last, limit=size + 1)
    page = found[:size]
    more = parameters.following(call, last=page[-1].name) if len(found) > size else None
    value = {"repositories": [rendering.repository(row) for row in page], "next": more}
    return json_answer(value, headers=parameters.link(more))


ENDPOINTS = (
    Endpoint(
        "/api/v1/repositories",
        "listRepositories",
        "Repositories, in byte order of their names",
        repositories,
        (parameters.N, Parameter("last", "query", TEXT, "The name after which the page begins.")),
        {200: {"application/json": named("Repositories")}},
    ),
    *native_packages.ENDPOINTS,
    *native_files.ENDPOINTS,
)


def routes(registry: Registry) -> list[BaseRoute]:
    """The routes of the native API."""
    return [NativeRoute(endpoint, registry) for endpoint in ENDPOINTS]
