"""A server that answers as it is told to, right or wrong, and remembers what it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

BREAK = b""
"""Instead of an answer: the connection is closed."""


@dataclass
class Asked:
    """A request as it came: its line's method and target, its headers with small names, its body."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


Answering = Callable[[Asked], bytes | Awaitable[bytes]]


@dataclass
class Scripted:
    """The running server: where it is and what it was asked."""

    port: int = 0
    asked: list[Asked] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def lines(self) -> list[str]:
        """Method and target of every request."""
        return [f"{asked.method} {asked.target}" for asked in self.asked]


def answer(status: int, body: bytes = b"", **headers: str) -> bytes:
    """An answer as bytes; `_` in the name of a header stands for `-`."""
    fields = {"content-length": str(len(body)), **{name.replace("_", "-"): text for name, text in headers.items()}}
    head = "".join(f"{name}: {text}\r\n" for name, text in fields.items())
    return f"HTTP/1.1 {status} Said\r\n{head}\r\n".encode() + body


@asynccontextmanager
async def serving(*answers: bytes, by: Answering | None = None) -> AsyncIterator[Scripted]:
    """A server whose answers are these, one after the other, or what `by` makes of each request."""
    running = Scripted()
    left = list(answers)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talking.add(asyncio.current_task())
        try:
            while (asked := await _asked(reader)) is not None:
                running.asked.append(asked)
                said = by(asked) if by else left.pop(0)
                data = said if isinstance(said, bytes) else await said
                writer.write(data)
                await writer.drain()
                if data == BREAK or b"\r\nconnection: close\r\n" in data:
                    return
        except (ConnectionError, asyncio.CancelledError):
            return
        finally:
            talking.discard(asyncio.current_task())
            writer.close()

    talking: set[asyncio.Task[None] | None] = set()
    listener = await asyncio.start_server(talk, "127.0.0.1", 0)
    running.port = listener.sockets[0].getsockname()[1]
    try:
        yield running
    finally:
        listener.close()
        for task in filter(None, list(talking)):
            task.cancel()


async def _asked(reader: asyncio.StreamReader) -> Asked | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
    except asyncio.IncompleteReadError:
        return None
    line, *fields = head.strip().split("\r\n")
    headers = {name.lower(): text.strip() for name, _, text in (item.partition(":") for item in fields)}
    method, target, _ = line.split(" ")
    if headers.get("transfer-encoding") != "chunked":
        return Asked(method, target, headers, await reader.readexactly(int(headers.get("content-length", 0))))
    body = b""
    while size := int(await reader.readline(), 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readline()
    return Asked(method, target, headers, body)
