"""The life of the server as ASGI tells it: a store is opened when it begins and closed when it ends."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from artifactstore.api.http.asgi import Receive, Send
from artifactstore.errors import ArtifactStoreError

log = logging.getLogger(__name__)


async def live(receive: Receive, send: Send, alive: Callable[[], AbstractAsyncContextManager[None]]) -> None:
    """Keep `alive()` entered from the lifespan's startup to its shutdown, and report a failure of either.

    An error of ours at startup is told by its message alone: the server logs that.
    """
    await receive()
    begun = False
    try:
        async with alive():
            begun = True
            await send({"type": "lifespan.startup.complete"})
            await receive()
    except Exception as error:
        if begun or not isinstance(error, ArtifactStoreError):
            log.exception("the server could not %s", "stop cleanly" if begun else "start")
        await send({"type": f"lifespan.{'shutdown' if begun else 'startup'}.failed", "message": str(error)})
        return
    await send({"type": "lifespan.shutdown.complete"})
