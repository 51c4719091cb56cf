"""The periodic sweep: one process of all that serve the same store does it."""

from __future__ import annotations

import asyncio
import logging

from artifactstore.bootstrap import SweepTurn
from artifactstore.registry.registry import Registry

FIRST_SECONDS_MAX = 60
"""The first sweep does not wait longer than this, or a server that is restarted often would never sweep."""

log = logging.getLogger(__name__)


async def sweep_periodically(registry: Registry, turn: SweepTurn, interval: int) -> None:
    """Sweep every `interval` seconds, if it is this process's turn; until cancelled."""
    await asyncio.sleep(min(interval, FIRST_SECONDS_MAX))
    while True:
        if turn.take():
            await _sweep(registry)
        await asyncio.sleep(interval)


async def _sweep(registry: Registry) -> None:
    """A sweep that fails is tried again at the next turn; it must not end the server."""
    try:
        report = await registry.sweep()
    except Exception:
        log.exception("the sweep failed")
        return
    if report.uploads or report.objects:
        log.info("swept %d uploads and %d objects, %d bytes", report.uploads, report.objects, report.bytes)
