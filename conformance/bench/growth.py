"""Does a store get slower as it grows? Each operation on a small and on a large one, in turn, and their ratio.

Both are filled through the library without syncing to disk; they are measured over HTTP, each behind a server of its
own, with full sync. Wrong answers fail; slow ones only show.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from conformance.bench import growth_store as held
from conformance.bench.deleting import CONNECTIONS, delete_tags
from conformance.bench.growth_operations import AT, READS, TAGS, WRITES, Operation, Store, demand
from conformance.bench.growth_store import LARGE, SMALL, Shape
from conformance.bench.line import Line, WrongAnswer
from conformance.server import Server, ServerFailed, exit_on_terminate, serving

FLAT = 1.5
WARM_TURNS = 3


def main(arguments: list[str] | None = None) -> int:
    """Fill, measure and print; 1 if any answer was wrong."""
    options = parse(arguments)
    exit_on_terminate()
    try:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="artifactstore-growth-")))
            shapes = {"small": SMALL, "large": LARGE.scaled(options.scale, SMALL)}
            stores = [(filled(folder / name, shape), shape) for name, shape in shapes.items()]
            measure([started(stack, data, shape) for data, shape in stores], options)
    except (ServerFailed, WrongAnswer, OSError) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="conformance.bench.growth", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--scale", type=float, default=1.0, help="size of the large store, as a part of the full one")
    parser.add_argument("--reads", type=int, default=200, help="turns of each read")
    parser.add_argument("--writes", type=int, default=40, help="turns of each write")
    parser.add_argument("--delete-seconds", type=float, default=90.0, help="most time for deleting tags one by one")
    return parser.parse_args(arguments)


def filled(folder: Path, shape: Shape) -> Path:
    """The data directory of a store of this shape; prints what it took."""
    data, began = folder / "data", time.perf_counter()
    asyncio.run(held.fill(data, shape))
    seconds = time.perf_counter() - began
    size = sum(path.stat().st_size for path in data.glob("artifactstore.sqlite*"))
    print(
        f"{shape.tags:,} tags on {shape.packages:,} packages, {shape.referrers:,} referrers of one, "
        f"{shape.repositories:,} repositories, an index of {shape.members:,}: "
        f"{size / 2**20:,.1f} MiB of database, filled in {seconds:.0f} s",
        flush=True,
    )
    return data


def started(stack: ExitStack, data: Path, shape: Shape) -> tuple[Server, Store]:
    """A server of a filled store, until the stack ends, and a connection to it."""
    server = stack.enter_context(serving(workers=1, log=data.with_name("server.log"), data=data))
    line = Line(*address_of(server))
    stack.callback(line.close)
    print(f"{shape.tags:>9,} tags: {line.ask('GET', '/api/v1/events?n=1', 200).json['head']:,} events", flush=True)
    return server, Store(shape, line)


def address_of(server: Server) -> tuple[str, int]:
    """The host and port of a server."""
    host, _, port = server.host.rpartition(":")
    return host, int(port)


def measure(servers: Sequence[tuple[Server, Store]], options: argparse.Namespace) -> None:
    """Every operation, reads first; then memory, then the deletion of every tag."""
    stores = [store for _, store in servers]
    before = [resident_bytes(server) for server, _ in servers]
    print(f"\n{'milliseconds (median, quartiles)':34}{'small':>22}{'large':>22}   large/small")
    for operations, turns in ((READS, options.reads), (WRITES, options.writes)):
        for name, operation in operations.items():
            show(name, alternating(stores, operation, turns))
    after = [resident_bytes(server) for server, _ in servers]
    print("\nMiB resident, at the start -> after all of this:")
    for shape, first, last in zip((store.shape for store in stores), before, after, strict=True):
        print(f"  {shape.tags:>9,} tags: {first / 2**20:.0f} -> {last / 2**20:.0f}")
    print(f"\ntags deleted one by one, on {CONNECTIONS} connections, then the repository with its packages:")
    for server, store in servers:
        show_deletion(server, store, options.delete_seconds)


def alternating(stores: Sequence[Store], operation: Operation, turns: int) -> list[list[float]]:
    """The seconds of every turn on each store; the stores take turns too, so that a noisy moment hits both."""
    for turn in range(WARM_TURNS):
        for store in stores:
            operation(store, turn)
    taken: list[list[float]] = [[] for _ in stores]
    for turn in range(WARM_TURNS, WARM_TURNS + turns):
        order = range(len(stores)) if turn % 2 else reversed(range(len(stores)))
        for which in order:
            taken[which].append(operation(stores[which], turn))
    return taken


def show(name: str, taken: Sequence[Sequence[float]]) -> None:
    """Print medians and quartiles, and what grew by more than noise."""
    quartiles = [statistics.quantiles([1000 * seconds for seconds in figures], n=4) for figures in taken]
    (_, small, small_third), (large_first, large, _) = quartiles
    ratio = large / small
    grows = "  grows" if ratio > FLAT and large_first > small_third else ""
    cells = [f"{middle:.2f} ({first:.2f}-{third:.2f})" for first, middle, third in quartiles]
    print(f"{name:34}{cells[0]:>22}{cells[1]:>22}{ratio:14.2f}{grows}", flush=True)


def show_deletion(server: Server, store: Store, seconds_max: float) -> None:
    """Delete every tag of the filling, then the repository, and see that they are gone."""
    done = asyncio.run(delete_tags(*address_of(server), store.shape.tags, seconds_max))
    left = store.get(f"{AT}/tags/list?n={TAGS}").json["tags"]
    demand(done.count < store.shape.tags or not any(name < "u" for name in left), "a deleted tag is still listed")
    whole = store.line.ask("DELETE", f"/api/v1/repositories/{held.MAIN}", 200).seconds
    store.line.ask("GET", f"{AT}/tags/list", 404)
    rates = ", ".join(f"{rate:,.0f}" for rate in done.rates)
    print(
        f"  {store.shape.tags:>9,} tags: {done.count:,} in {done.seconds:.1f} s, a second in each quarter: {rates}; "
        f"then the repository in {1000 * whole:,.0f} ms",
        flush=True,
    )


def resident_bytes(server: Server) -> int:
    """The memory of all processes of a server, which has a session of its own."""
    total = 0
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            if int(fields[3]) == server.process.pid:
                total += int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
        except (OSError, IndexError):
            continue
    return total


if __name__ == "__main__":
    sys.exit(main())
