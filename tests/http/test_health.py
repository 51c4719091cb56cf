from __future__ import annotations

import httpx
import pytest

from artifactstore.errors import BackendUnavailable
from tests.http.native_store import START, opened

CHECKS = {"database", "backend", "space", "clock"}


@pytest.mark.parametrize("path", ["/health", "/health/ready"])
async def test_sound_store_is_ready(path: str) -> None:
    """A store whose parts are all sound is 200 ready, and names each of them."""
    async with opened() as store:
        health = await store.json(path)
    assert health["status"] == "ready"
    assert set(health["checks"]) == CHECKS
    assert all(check["ok"] for check in health["checks"].values())


async def test_failing_database_is_not_ready_but_live(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the database does not answer, readiness is 503 and says so; the process is live all the same."""

    async def fail() -> None:
        raise BackendUnavailable("the database is away")

    async with opened() as store:
        monkeypatch.setattr(store.registry.log, "head", fail)
        response = await store.get("/health/ready")
        live = await store.json("/health/live")
    assert response.status_code == 503
    assert response.json()["status"] == "unavailable"
    assert response.json()["checks"]["database"] == {"ok": False, "message": "the database is away"}
    assert live == {"status": "live"}


async def test_clock_behind_the_log_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that is far behind the log's last event fails the check of the clock alone."""
    async with opened() as store:
        monkeypatch.setattr(store.registry, "clock", lambda: START - 3_600_000_000)
        response = await store.get("/health")
    checks = response.json()["checks"]
    assert response.status_code == 503
    assert [name for name, check in checks.items() if not check["ok"]] == ["clock"]


async def test_health_is_never_cached() -> None:
    """No cache may answer for the store."""
    async with opened() as store:
        for path in ("/health", "/health/ready", "/health/live"):
            assert (await store.get(path)).headers["cache-control"] == "no-store"


def test_running_server_is_healthy(http: httpx.Client) -> None:
    """A server that listens answers each check, and its document names the paths they are at."""
    paths = [path for path in http.get("/api/v1/openapi.json").json()["paths"] if path.startswith("/health")]
    assert [http.get(path).status_code for path in paths] == [200, 200, 200]
