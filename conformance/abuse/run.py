"""A storm of requests against a server of our own, on one worker process and on two.

Every answer is checked, memory is watched, and after every batch of nothing but refused requests the server must hold
exactly what it held before. The same seed sends the same requests.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from random import Random

import uvloop

from conformance.abuse import hostile, refused, sound
from conformance.abuse.client import Connection, Malformed, Reply
from conformance.abuse.shots import Shot, World
from conformance.abuse.state import Asking, Spoilt, digest, prepare, resident
from conformance.server import Server, ServerFailed, exit_on_terminate, serving
from conformance.tools import ROOT

RESULTS = ROOT / "conformance" / "abuse" / "results"
SETTINGS = {"ARTIFACTSTORE_UNSAFE_NO_SYNC": "true", "ARTIFACTSTORE_LOG_LEVEL": "error"}
CONNECTIONS = 64
BATCHES = 50
BATCH_MIN = 1000
VOLLEY_MAX = 8
WARM_UP = 0.1
"""This part of the requests fills caches and pools before memory is compared."""
GROWTH_BYTES_MAX = 96 << 20
"""Each process may grow by this much after that: what its caches may fill, of content and of the database."""
FAULTS_MAX = 10
REFUSED = (*refused.KINDS, *hostile.KINDS)
MIXED = (*REFUSED, *sound.READING, *sound.READING, *sound.READING)


@dataclass
class Tally:
    """What was sent and what came back."""

    sent: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def fault(self, shot: Shot, words: str) -> None:
        """Remember what went wrong."""
        self.faults.append(f"{shot.kind}: {words}\n    sent {shot.data[:600]!r}")


class Sender:
    """One connection and its own source of chance: volleys out, answers checked."""

    def __init__(self, port: int, number: int, world: World, tally: Tally) -> None:
        self._connection = Connection(port)
        self._client = sound.Client(f"abuse/c{number}")
        self._world = world
        self._tally = tally

    async def send(self, random: Random, count: int, *, only_refused: bool) -> None:
        """Send so many requests; stops when too much went wrong."""
        while count > 0 and len(self._tally.faults) < FAULTS_MAX:
            volley = self._volley(random, min(count, random.randrange(1, VOLLEY_MAX + 1)), only_refused=only_refused)
            count -= len(volley)
            await self._exchange(volley)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _volley(self, random: Random, most: int, *, only_refused: bool) -> list[Shot]:
        """Requests to send in one piece. Nothing follows one that ends the connection, or whose answer matters."""
        volley: list[Shot] = []
        while len(volley) < most:
            if not only_refused and random.random() < 0.2:
                shot = self._client.next(random)
            else:
                shot = random.choice(REFUSED if only_refused else MIXED)(random, self._world)
            volley.append(shot)
            if shot.ends or shot.drops or shot.leaves or shot.then:
                break
        return volley

    async def _exchange(self, volley: list[Shot]) -> None:
        last = volley[-1]
        try:
            await self._connection.send(b"".join(shot.data for shot in volley), leave=last.leaves)
            for shot in volley:
                self._tally.sent[shot.kind] += 1
                if not shot.leaves:
                    self._check(shot, await self._connection.reply(is_head=shot.is_head))
            if last.leaves:
                await self._take_all(last)
            if last.ends:
                await self._connection.end()
            if last.drops:
                self._connection.close()
        except (Malformed, AssertionError, OSError) as problem:
            self._tally.fault(last, f"{problem!r} in a volley of {[shot.kind for shot in volley]}")
            self._connection.close()

    async def _take_all(self, shot: Shot) -> None:
        """Whatever comes until the end of the connection."""
        while (reply := await self._connection.reply()) is not None:
            self._tally.statuses[reply.status] += 1
            if reply.status >= 500:
                self._tally.fault(shot, f"answered {reply}")

    def _check(self, shot: Shot, reply: Reply | None) -> None:
        if reply is None:
            raise Malformed(f"no answer to {shot.kind}")
        self._tally.statuses[reply.status] += 1
        codes = shot.allowed.get(reply.status)
        if codes is None:
            self._tally.fault(shot, f"answered {reply}")
        elif reply.status >= 400 and not shot.is_head and (code := reply.code(is_head=False)) not in codes:
            self._tally.fault(shot, f"answered {reply.status} with the code {code!r}")
        elif shot.then is not None:
            shot.then(reply)


async def storm(server: Server, requests: int, seed: str, workers: int) -> list[str]:
    """Send everything to one server and print what came of it; returns the faults."""
    port, session, began = int(server.host.rpartition(":")[2]), server.process.pid, time.monotonic()
    memory: list[int] = []
    tally = await send_batches(port, requests, f"{seed}/{workers}", lambda: memory.append(resident(session)))
    before, after = memory[int(len(memory) * WARM_UP)], memory[-1]
    _report(tally, workers, time.monotonic() - began)
    tenths = [memory[len(memory) * tenth // 10] >> 20 for tenth in range(10)]
    print(
        f"  memory, MiB, each tenth of the way: {' '.join(map(str, tenths))} and at the end {after >> 20}", flush=True
    )
    if after - before > GROWTH_BYTES_MAX * workers:
        tally.faults.append(f"the server grew by {(after - before) >> 20} MiB, which is more than it may")
    return tally.faults


async def send_batches(port: int, requests: int, seed: str, look: Callable[[], None]) -> Tally:
    """Batch after batch: mixed, then refused requests only, and so on; `look()` is called after each."""
    tally, size = Tally(), max(BATCH_MIN, requests // BATCHES)
    with ExitStack() as stack:
        asking = stack.enter_context(closing(Asking(port)))
        world = await prepare(asking)
        senders = [stack.enter_context(closing(Sender(port, n, world, tally))) for n in range(CONNECTIONS)]
        for batch, start in enumerate(range(0, requests, size)):
            only_refused = batch % 2 == 1
            held = await digest(asking, world)
            await _send(senders, min(size, requests - start), f"{seed}/{batch}", only_refused=only_refused)
            if only_refused and await digest(asking, world) != held:
                tally.faults.append(f"batch {batch}, of refused requests only, changed what the server holds")
            look()
            if len(tally.faults) >= FAULTS_MAX:
                break
    return tally


async def _send(senders: list[Sender], count: int, seed: str, *, only_refused: bool) -> None:
    """Divide so many requests among the senders, which all send at once."""
    share, rest = divmod(count, len(senders))
    await asyncio.gather(
        *(
            sender.send(Random(f"{seed}/{number}"), share + (number < rest), only_refused=only_refused)
            for number, sender in enumerate(senders)
        )
    )


def _report(tally: Tally, workers: int, seconds: float) -> None:
    sent = tally.sent.total()
    print(f"{workers} worker process(es): {sent} requests in {seconds:.0f} s, {sent / seconds:.0f} a second")
    _row("statuses", {str(status): count for status, count in sorted(tally.statuses.items())})
    _row("kinds", dict(sorted(tally.sent.items())))


def _row(title: str, counts: Mapping[str, int]) -> None:
    print(f"  {title}: " + "  ".join(f"{name} {count}" for name, count in counts.items()), flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Run the storm; 0 if nothing was found."""
    parser = argparse.ArgumentParser(prog="conformance.abuse.run", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--requests", type=int, default=1_000_000, help="how many, over both servers")
    parser.add_argument("--seed", default="1", help="the same seed sends the same requests")
    parser.add_argument("--workers", type=int, action="append", help="worker processes of a server (default: 1 and 2)")
    parser.add_argument("--seconds-max", type=int, default=3600, help="the whole run is a failure after so long")
    options = parser.parse_args(arguments)
    exit_on_terminate()
    print(f"SEED={options.seed}", flush=True)
    faults = 0
    servers = options.workers or [1, 2]
    for workers in servers:
        share = options.requests // len(servers)
        faults += _run(workers, share, options.seed, options.seconds_max // len(servers))
    print(f"abuse: {'nothing found' if not faults else f'{faults} faults'}")
    return 1 if faults else 0


def _run(workers: int, requests: int, seed: str, seconds_max: int) -> int:
    """One server: how many faults there were."""
    try:
        with serving(workers=workers, log=RESULTS / f"server-{workers}.log", settings=SETTINGS) as server:
            limited = asyncio.wait_for(storm(server, requests, seed, workers), seconds_max)
            faults = uvloop.run(limited)
            if server.process.poll() is not None:
                faults.append(f"the server ended with {server.process.returncode}")
        complaints = (RESULTS / f"server-{workers}.log").read_text(errors="replace")
        if "Traceback" in complaints or " ERROR " in complaints:
            faults.append(f"the server's log has errors: {RESULTS.name}/server-{workers}.log")
    except (ServerFailed, Spoilt, TimeoutError) as problem:
        faults = [f"{type(problem).__name__}: {problem}"]
    for fault in faults:
        print(f"FAULT {fault}")
    return len(faults)


if __name__ == "__main__":
    sys.exit(main())
