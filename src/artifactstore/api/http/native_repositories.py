"""The native API: repositories, as a list and as a whole."""

from __future__ import annotations

from artifactstore.api.http import parameters
from artifactstore.api.http.answers import Answer, json_answer
from artifactstore.api.http.calls import Call
from artifactstore.api.http.endpoints import Endpoint, Parameter
from artifactstore.api.http.schemas import FLAG, REPOSITORY_NAME, TEXT, named
from artifactstore.identity.names import RepositoryName
from artifactstore.registry import rendering
from artifactstore.registry.registry import Registry

JSON = "application/json"
REPOSITORY = Parameter("repository", "path", REPOSITORY_NAME, "The repository; its slashes stay as they are.")


def repository_name(call: Call) -> RepositoryName:
    """The repository that the path names. Raises NameInvalid."""
    return RepositoryName.parse(call.scope["path_params"]["repository"])


async def repositories(registry: Registry, call: Call) -> Answer:
    """A page of repositories, in byte order."""
    size, last = parameters.page_size(call), call.parameter("last") or ""
    prefix = parameters.parsed(call, "prefix", RepositoryName.parse)
    found = await registry.repositories(call.principal, prefix=prefix, last=last, limit=size + 1)
    page = found[:size]
    more = parameters.following(call, last=page[-1].name) if len(found) > size else None
    if parameters.flag(call, "holdings"):
        listed = [rendering.holdings(held) for held in await registry.holdings(call.principal, page)]
    else:
        listed = [rendering.repository(row) for row in page]
    return json_answer({"repositories": listed, "next": more}, headers=parameters.link(more))


async def repository(registry: Registry, call: Call) -> Answer:
    """One repository and what it holds: what its deletion would take away."""
    return json_answer(rendering.holdings(await registry.repository(call.principal, repository_name(call))))


async def delete_repository(registry: Registry, call: Call) -> Answer:
    """Delete a repository with all that it holds."""
    return json_answer(rendering.deleted(await registry.delete_repository(call.principal, repository_name(call))))


ENDPOINTS = (
    Endpoint(
        "/api/v1/repositories",
        "listRepositories",
        "Repositories, in byte order of their names",
        repositories,
        (
            Parameter("prefix", "query", REPOSITORY_NAME, "This repository and those under it, by whole segments."),
            Parameter("holdings", "query", {**FLAG, "default": False}, "Count what each holds."),
            parameters.N,
            Parameter("last", "query", TEXT, "The name after which the page begins."),
        ),
        {200: {JSON: named("Repositories")}},
    ),
    Endpoint(
        "/api/v1/repositories/{repository:repository}",
        "getRepository",
        "A repository and what it holds",
        repository,
        (REPOSITORY,),
        {200: {JSON: named("Holdings")}},
        (404,),
    ),
    Endpoint(
        "/api/v1/repositories/{repository:repository}",
        "deleteRepository",
        "Delete a repository with every package, tag, blob and open upload in it",
        delete_repository,
        (REPOSITORY,),
        {200: {JSON: named("DeletedRepository")}},
        (404,),
        method="DELETE",
    ),
)
