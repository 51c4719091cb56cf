"""A clock that was wrong once stops nobody after it was set right."""

from __future__ import annotations

import time
from pathlib import Path

from artifactstore.bootstrap import open_database
from artifactstore.events.replay import check
from artifactstore.identity.actor import ANONYMOUS
from tests.stores import fresh_config, fresh_registry, push_blob, push_image

YEAR = 365 * 86_400 * 1_000_000


async def test_pushes_go_on_after_the_clock_was_ahead(tmp_path: Path) -> None:
    """After an event a year ahead pushes are accepted, in log time that stands still, though health tells of it."""
    now = time.time_ns() // 1000
    ahead = 0
    registry = fresh_registry(tmp_path / "store", clock=lambda: now + ahead, unsafe_no_sync=True)
    ahead = YEAR
    await push_blob(registry, "acme/clock", b"from the future")
    ahead = 0
    await push_image(registry, "acme/clock", "v1", [b"from the present"])
    page = await registry.events(ANONYMOUS, limit=100)
    assert {event.time for event in page.events[1:]} == {now + YEAR}
    assert not (await registry.health()).ready
    await registry.close()
    assert check(open_database(fresh_config(tmp_path / "store"))).differences == ()
