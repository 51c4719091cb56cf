from __future__ import annotations

from openapi_spec_validator import validate
from starlette.routing import Route

from artifactstore.api.http import events, health, native, oci_grammar, openapi
from artifactstore.api.http.app import RestApp
from artifactstore.api.http.endpoints import by_path
from artifactstore.registry.registry import Registry
from tests.http.native_store import opened

METHODS = {"get", "head", "post", "put", "patch", "delete"}


async def test_document_is_served_and_valid() -> None:
    """`/api/v1/openapi.json` is a valid OpenAPI 3.1 document."""
    async with opened() as store:
        document = await store.json("/api/v1/openapi.json")
    assert document["openapi"].startswith("3.1")
    validate(document)


async def test_every_route_is_in_the_document_and_no_other() -> None:
    """The routes of the application beside `/v2` and the document's paths are the same, with the same methods."""
    async with opened() as store:
        routes = routed(store.registry)
    documented = {
        path: METHODS & set(item) for path, item in openapi.document()["paths"].items() if not path.startswith("/v2/")
    }
    assert routes == documented


def routed(registry: Registry) -> dict[str, set[str]]:
    """Path template -> methods, of what the application routes."""
    found = {}
    for route in RestApp(registry)._router.routes:
        assert isinstance(route, Route)
        found[route.path_format] = {method.lower() for method in route.methods or ()}
    return found


async def test_routes_are_those_of_the_four_modules() -> None:
    """Each module offers its own routes, and no path is offered twice."""
    async with opened() as store:
        offered = [route for module in (native, events, health, openapi) for route in module.routes(store.registry)]
    paths = [route.path_format for route in offered if isinstance(route, Route)]
    assert len(paths) == len(set(paths)) == len(by_path(openapi.ENDPOINTS))


def test_every_oci_family_is_in_the_document() -> None:
    """Every word that the grammar of `/v2` routes by is in a documented path, with the methods that it has there."""
    words = {word for path in openapi.OCI_PATHS for word in path.split("/")}
    assert set(oci_grammar._FAMILIES) <= words
    paths = openapi.document()["paths"]
    assert METHODS & set(paths["/v2/{name}/manifests/{reference}"]) == {"get", "head", "put", "delete"}
    assert METHODS & set(paths["/v2/{name}/blobs/uploads/"]) == {"post"}
