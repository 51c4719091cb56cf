"""Health: whether the process answers, and whether the store can serve."""

from __future__ import annotations

from starlette.routing import BaseRoute

from artifactstore.api.http.answers import Answer, json_answer
from artifactstore.api.http.calls import Call
from artifactstore.api.http.endpoints import Endpoint, routes_of
from artifactstore.api.http.schemas import named
from artifactstore.registry import rendering
from artifactstore.registry.registry import Registry

JSON = "application/json"
FRESH = ((b"cache-control", b"no-store"),)


async def live(registry: Registry, call: Call) -> Answer:
    """The process answers: that is all this says, and no database is asked."""
    return json_answer({"status": "live"}, headers=FRESH)


async def ready(registry: Registry, call: Call) -> Answer:
    """200 when database, storage, free space and clock are sound; else 503, and which is not."""
    found = await registry.health()
    return json_answer(rendering.health(found), 200 if found.ready else 503, FRESH)


_READY = {200: {JSON: named("Health")}, 503: {JSON: named("Health")}}

ENDPOINTS = (
    Endpoint("/health", "health", "Whether the store can serve, and each part of that", ready, (), _READY),
    Endpoint("/health/ready", "healthReady", "The same as `/health`", ready, (), _READY),
    Endpoint("/health/live", "healthLive", "Whether the process answers", live, (), {200: {JSON: named("Live")}}),
)


def routes(registry: Registry) -> list[BaseRoute]:
    """The routes of the health checks."""
    return routes_of(ENDPOINTS, registry)
