"""A TCP proxy that breaks connections off, and remembers what clients sent through it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from tests.http.servers import SECONDS_MAX, Server

PART = 1 << 16


@dataclass
class Cutting:
    """The running proxy. Each number of `cuts` is how many bytes of one direction a connection may carry."""

    port: int = 0
    heads: list[str] = field(default_factory=list)
    stalled: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def headers(self, method: str, name: str) -> list[str]:
        """The values of a header in requests of a method, in order; empty where it was not sent."""
        asked = [head.split("\r\n") for head in self.heads if head.startswith(f"{method} ")]
        found = []
        for lines in asked:
            values = [line.partition(":")[2].strip() for line in lines if line.lower().startswith(f"{name}:")]
            found.append(values[0] if values else "")
        return found


@asynccontextmanager
async def cutting(
    server: Server, *, down: tuple[int, ...] = (), up: tuple[int, ...] = (), stall: int | None = None
) -> AsyncIterator[Cutting]:
    """A proxy before a server.

    `down`: bytes of answers after which a connection is cut, `up`: bytes of requests; each number is used once, by the
    first connection that carries more. `stall`: bytes of answers after which a connection says nothing any more.
    """
    running = Cutting()
    left = {"down": list(down), "up": list(up)}
    tasks: set[asyncio.Task[None] | None] = set()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, direction: str) -> None:
        carried = 0
        while data := await reader.read(PART):
            if direction == "up":
                running.heads += _heads(data)
            writer.write(data)
            await writer.drain()
            carried += len(data)
            if direction == "down" and stall is not None and carried > stall:
                running.stalled.set()
                await asyncio.Event().wait()
            if left[direction] and carried > left[direction][0]:
                left[direction].pop(0)
                return

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())
        there, back = await asyncio.open_connection("127.0.0.1", server.port)
        carrying = [asyncio.create_task(carry(reader, back, "up")), asyncio.create_task(carry(there, writer, "down"))]
        try:
            await asyncio.wait(carrying, return_when=asyncio.FIRST_COMPLETED)
            for each in (writer, back):
                each.close()  # what was carried arrives, and then nothing more
                with suppress(ConnectionError, TimeoutError):
                    await asyncio.wait_for(each.wait_closed(), SECONDS_MAX)
        except asyncio.CancelledError:
            pass
        finally:
            tasks.discard(asyncio.current_task())
            for task in carrying:
                task.cancel()
            await asyncio.gather(*carrying, return_exceptions=True)
            for each in (writer, back):
                each.transport.abort()

    listener = await asyncio.start_server(talk, "127.0.0.1", 0)
    running.port = listener.sockets[0].getsockname()[1]
    try:
        yield running
    finally:
        listener.close()
        for task in filter(None, list(tasks)):
            task.cancel()
        await asyncio.gather(*filter(None, list(tasks)), return_exceptions=True)


def _heads(data: bytes) -> list[str]:
    """The request head that begins with these bytes, if one does."""
    head, end, _ = data.partition(b"\r\n\r\n")
    return [head.decode()] if end and b" HTTP/1.1\r\n" in head else []
