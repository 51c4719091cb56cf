"""The native API beside the OCI one: what was pushed, as packages with files and typed metadata."""

from __future__ import annotations

from starlette.routing import BaseRoute

from artifactstore.api.http import native_files, native_packages, native_repositories
from artifactstore.api.http.endpoints import routes_of
from artifactstore.registry.registry import Registry

ENDPOINTS = (*native_repositories.ENDPOINTS, *native_packages.ENDPOINTS, *native_files.ENDPOINTS)


def routes(registry: Registry) -> list[BaseRoute]:
    """The routes of the native API."""
    return routes_of(ENDPOINTS, registry)
