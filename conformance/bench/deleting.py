"""Every tag of a store, deleted one by one on many connections."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from conformance.bench.growth_operations import AT
from conformance.bench.growth_store import tag
from conformance.bench.line import WrongAnswer

CONNECTIONS = 32


@dataclass(frozen=True)
class Deleted:
    """How many tags went in how many seconds, and how many a second in each quarter of them."""

    count: int
    seconds: float
    rates: list[float]


async def delete_tags(host: str, port: int, count: int, seconds_max: float) -> Deleted:
    """Delete the first `count` tags, or as many as the time allows."""
    waiting = iter(range(count))
    began = time.perf_counter()
    moments: list[float] = []

    async def worker() -> None:
        reader, writer = await asyncio.open_connection(host, port)
        try:
            for number in waiting:
                await _delete(reader, writer, f"{host}:{port}", tag(number))
                moments.append(time.perf_counter() - began)
                if moments[-1] > seconds_max:
                    return
        finally:
            writer.close()
            await writer.wait_closed()

    await asyncio.gather(*(worker() for _ in range(CONNECTIONS)))
    return Deleted(len(moments), moments[-1], _rates(moments))


def _rates(moments: list[float]) -> list[float]:
    marks = [round(len(moments) * quarter / 4) for quarter in range(5)]
    times = [moments[mark - 1] if mark else 0.0 for mark in marks]
    return [(marks[n + 1] - marks[n]) / (times[n + 1] - times[n]) for n in range(4)]


async def _delete(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, name: str) -> None:
    writer.write(f"DELETE {AT}/manifests/{name} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 202"):
        raise WrongAnswer(f"the deletion of {name} was answered {head[:100]!r}")
