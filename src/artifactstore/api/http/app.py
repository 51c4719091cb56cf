"""The whole server as one ASGI application: `/v2` raw, everything else through Starlette's router."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from starlette.exceptions import HTTPException
from starlette.routing import Router

from artifactstore import bootstrap
from artifactstore.api.http import errors, events, health, lifespan, native, openapi
from artifactstore.api.http.answers import Answer
from artifactstore.api.http.asgi import App, Message, Receive, Scope, Send
from artifactstore.api.http.calls import ClientDisconnected
from artifactstore.api.http.oci import OciApp
from artifactstore.api.http.sweeping import sweep_periodically
from artifactstore.config import Config
from artifactstore.errors import ResourceUnknown, Unsupported
from artifactstore.registry.registry import Registry


def build_app(config: Config) -> Application:
    """The server of a config. Its store is opened by the lifespan, without migrating it."""
    return Application(config)


class Application:
    """`/v2` goes past Starlette: small answers are many there, and routing would cost more than the work itself."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._oci: App = _not_open
        self._rest: App = _not_open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await lifespan.live(receive, send, self._open)
        elif scope["type"] != "http":
            raise ValueError(f"{scope['type']} is not served")
        elif scope["path"].startswith("/v2/") or scope["path"] == "/v2":
            await self._oci(scope, receive, send)
        else:
            await self._rest(scope, receive, send)

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[None]:
        registry = bootstrap.open_registry(self._config)
        turn = bootstrap.SweepTurn(self._config)
        tasks = []
        if self._config.sweep_interval and not self._config.read_only:
            tasks.append(asyncio.create_task(sweep_periodically(registry, turn, self._config.sweep_interval)))
        self._oci, self._rest = OciApp(registry), RestApp(registry)
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            turn.leave()
            await registry.close()


class RestApp:
    """Everything but `/v2`; what the routes leave over is answered with problem details."""

    def __init__(self, registry: Registry) -> None:
        routes = [route for part in (native, events, health, openapi) for route in part.routes(registry)]
        self._router = Router(routes, redirect_slashes=False, default=_not_found)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        scope["app"] = self
        try:
            await self._router(scope, receive, watched)
        except ClientDisconnected:
            return
        except Exception as error:
            answer = _unrouted(error)
            if started:
                return
            await answer(scope, receive, send)


async def _not_found(scope: Scope, receive: Receive, send: Send) -> None:
    await errors.problem(ResourceUnknown("no such route"))(scope, receive, send)


async def _not_open(scope: Scope, receive: Receive, send: Send) -> None:
    raise RuntimeError("the application was called outside of its lifespan")


def _unrouted(error: Exception) -> Answer:
    """What an exception that came through the router is answered with."""
    if isinstance(error, HTTPException) and error.status_code == 405:
        allow = (error.headers or {}).get("Allow", "")
        return errors.problem(Unsupported("the method is not offered here")).adding((b"allow", allow.encode()))
    return errors.problem(error)
