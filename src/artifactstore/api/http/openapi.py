"""The OpenAPI 3.1 document, made from the tables that the routes are made from; `/v2` by the routes of its grammar."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from http import HTTPStatus
from typing import Any

from starlette.routing import BaseRoute

import artifactstore
from artifactstore.api.http import events, health, native, oci_grammar, schemas
from artifactstore.api.http.answers import Answer, json_answer
from artifactstore.api.http.calls import Call
from artifactstore.api.http.endpoints import Endpoint, Parameter, by_path, routes_of
from artifactstore.api.http.schemas import OBJECT
from artifactstore.registry.registry import Registry

PROBLEM = "application/problem+json"
ALWAYS = (400, 405, 500, 503)
SPECIFICATION = {"url": "https://github.com/opencontainers/distribution-spec/blob/main/spec.md"}


async def openapi(registry: Registry, call: Call) -> Answer:
    """The document itself."""
    return json_answer(document())


OPENAPI = Endpoint("/api/v1/openapi.json", "openapi", "This document", openapi, (), {200: {"application/json": OBJECT}})
ENDPOINTS = (*native.ENDPOINTS, *events.ENDPOINTS, *health.ENDPOINTS, OPENAPI)

OCI_PATHS: Mapping[str, str] = {
    "/v2/": "Is this a registry? (end-1)",
    "/v2/_catalog": "Repositories, as crane and oras ask for them",
    "/v2/{name}/blobs/{digest}": "A blob (end-2, end-10)",
    "/v2/{name}/blobs/uploads/": "Push, mount, or begin to upload a blob (end-4, end-11)",
    "/v2/{name}/blobs/uploads/{upload}": "An upload: how far, more, close, cancel (end-5, end-6, end-13, end-14)",
    "/v2/{name}/manifests/{reference}": "A manifest, by tag or digest (end-3, end-7, end-9)",
    "/v2/{name}/tags/list": "Tags (end-8)",
    "/v2/{name}/referrers/{digest}": "Manifests that name this one as their subject (end-12)",
    "/v2/{name}/_oci/tag-history/{tag}": "Everything a tag named, from the log",
    "/v2/{name}/_oci/repositories": "Repositories at and under a name",
    "/v2/_oci/repositories": "Repositories",
    "/v2/{name}/_oci/ext/discover": "What a repository offers beyond the specification",
    "/v2/_oci/ext/discover": "What is offered beyond the specification",
}
"""The OCI distribution routes, which `oci_grammar` reads and the specification describes."""

_OCI_SCHEMAS: Mapping[str, schemas.Schema] = {
    "name": schemas.REPOSITORY_NAME,
    "digest": schemas.KNOWN_DIGEST,
    "upload": schemas.TEXT,
    "reference": schemas.REFERENCE,
    "tag": schemas.TAG_NAME,
}
_OCI_ERRORS = {"application/json": {"schema": schemas.named("OciErrors")}}
_OCI_WORDS = {"name": "a", "digest": f"sha256:{'0' * 64}", "upload": "u", "reference": "t", "tag": "t"}


def routes(registry: Registry) -> list[BaseRoute]:
    """The route of the document."""
    return routes_of((OPENAPI,), registry)


@cache
def document() -> dict[str, Any]:
    """The whole document."""
    native_paths = {template: _path(endpoints) for template, endpoints in by_path(ENDPOINTS).items()}
    oci_paths = {template: _oci_path(template, summary) for template, summary in OCI_PATHS.items()}
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "artifactstore",
            "version": artifactstore.__version__,
            "description": "An artifact store that can prove what it keeps. Path parameters may hold slashes where "
            "their description says so.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [
            {"name": "native", "description": "Packages, files, the log, health."},
            {"name": "oci", "description": "OCI distribution.", "externalDocs": SPECIFICATION},
        ],
        "security": [],
        "paths": native_paths | oci_paths,
        "components": {"schemas": schemas.SCHEMAS},
    }


def _path(endpoints: Iterable[Endpoint]) -> dict[str, Any]:
    """Every operation at a path; a HEAD has no body."""
    item: dict[str, Any] = {}
    for endpoint in endpoints:
        for method in endpoint.methods:
            item[method.lower()] = _operation(endpoint, is_head=method == "HEAD")
    return item


def _operation(endpoint: Endpoint, *, is_head: bool) -> dict[str, Any]:
    operation = {
        "operationId": endpoint.operation + ("Head" if is_head else ""),
        "summary": endpoint.summary,
        "tags": ["native"],
        "responses": _responses(endpoint, with_bodies=not is_head),
    }
    parameters = [_parameter(parameter) for parameter in endpoint.parameters]
    return {**operation, "parameters": parameters} if parameters else operation


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.where,
        "required": parameter.where == "path",
        "description": parameter.description,
        "schema": parameter.schema,
    }


def _responses(endpoint: Endpoint, *, with_bodies: bool) -> dict[str, Any]:
    answers: dict[int, Mapping[str, Any]] = {
        status: {PROBLEM: schemas.named("Problem")} for status in (*ALWAYS, *endpoint.problems)
    }
    for status, bodies in endpoint.answers.items():
        answers[status] = {**answers.get(status, {}), **bodies}
    return {str(status): _response(status, answers[status] if with_bodies else {}) for status in sorted(answers)}


def _response(status: int, bodies: Mapping[str, Any]) -> dict[str, Any]:
    said = {"description": HTTPStatus(status).phrase}
    content = {media_type: {"schema": schema} for media_type, schema in bodies.items()}
    return {**said, "content": content} if content else said


def _oci_path(template: str, summary: str) -> dict[str, Any]:
    """What `/v2` offers at a path: the methods that its grammar has there."""
    example = template.format(**_OCI_WORDS)
    names = [word for word in _OCI_WORDS if f"{{{word}}}" in template]
    item: dict[str, Any] = {
        method.lower(): _oci_operation(summary, is_head=method == "HEAD") for method in oci_grammar.allowed(example)
    }
    return {"parameters": list(_oci_parameters(names)), **item} if names else item


def _oci_parameters(names: Iterable[str]) -> Iterable[dict[str, Any]]:
    for name in names:
        words = "The repository; its slashes stay as they are." if name == "name" else "As the specification says."
        yield _parameter(Parameter(name, "path", _OCI_SCHEMAS[name], words))


def _oci_operation(summary: str, *, is_head: bool) -> dict[str, Any]:
    errors = {"description": "As the specification says.", "content": _OCI_ERRORS}
    refused = {"description": errors["description"]} if is_head else errors
    answers = {"2XX": {"description": "Done."}, "304": {"description": "Not Modified"}, "4XX": refused, "5XX": refused}
    return {"summary": summary, "tags": ["oci"], "externalDocs": SPECIFICATION, "responses": answers}
