"""The periodic sweep: its turn, its interval, and its failures."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from artifactstore.api.http.sweeping import sweep_periodically
from artifactstore.registry.upkeep import SweepReport


class Sweeper:
    """A registry that only sweeps, and a turn that only answers; both count how often they were asked."""

    def __init__(self, *, mine: bool = True) -> None:
        self.mine = mine
        self.asked = 0
        self.swept = 0

    def take(self) -> bool:
        self.asked += 1
        return self.mine

    async def sweep(self) -> SweepReport:
        self.swept += 1
        if self.swept == 1:
            raise OSError("the disk is away for a moment")
        return SweepReport(uploads=1)


async def run(sweeper: Sweeper, until: int) -> None:
    """Sweep without pause until the turn was asked for so often."""
    task = asyncio.create_task(sweep_periodically(cast(Any, sweeper), cast(Any, sweeper), 0))
    while sweeper.asked < until:
        assert not task.done()
        await asyncio.sleep(0)
    task.cancel()


async def test_a_sweep_that_fails_is_tried_again() -> None:
    """A failure is logged; the next turn sweeps."""
    sweeper = Sweeper()
    await run(sweeper, 3)
    assert sweeper.swept >= 2


async def test_whose_turn_it_is_not_does_not_sweep() -> None:
    """A process without the turn asks again and leaves the sweeping to the one that has it."""
    sweeper = Sweeper(mine=False)
    await run(sweeper, 3)
    assert sweeper.swept == 0
