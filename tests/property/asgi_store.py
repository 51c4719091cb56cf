"""The whole HTTP surface over a store in memory, without a socket: asked as a server asks, every answer checked."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from artifactstore import bootstrap
from artifactstore.api.http.app import RestApp
from artifactstore.api.http.errors import TABLE
from artifactstore.api.http.oci import OciApp
from artifactstore.config import Config

Headers = Sequence[tuple[bytes, bytes]]
_CODES = """BLOB_UNKNOWN BLOB_UPLOAD_INVALID BLOB_UPLOAD_UNKNOWN DIGEST_INVALID MANIFEST_BLOB_UNKNOWN MANIFEST_INVALID
MANIFEST_UNKNOWN NAME_INVALID NAME_UNKNOWN SIZE_INVALID UNAUTHORIZED DENIED UNSUPPORTED TOOMANYREQUESTS"""
LISTED = frozenset(_CODES.split())
"""Every code that the distribution specification has ("Error Codes")."""
_FORBIDDEN = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
SECONDS_MAX = 60


@dataclass
class Reply:
    """An answer; its header names are lower-case."""

    status: int
    headers: Headers
    body: bytes = b""

    def header(self, name: bytes) -> bytes:
        """A header, empty where there is none."""
        return b", ".join(value for key, value in self.headers if key == name)

    @property
    def code(self) -> str:
        """The code of a refusal."""
        value = json.loads(self.body)
        return str(value["errors"][0]["code"] if "errors" in value and "code" not in value else value["code"])


@dataclass
class HttpStore:
    """A store, asked as a server asks it."""

    runner: asyncio.Runner
    oci: OciApp
    rest: RestApp
    repositories: int = 0

    def ask(self, method: str, target: str, *chunks: bytes, query: bytes = b"", headers: Headers = ()) -> Reply:
        """Ask, and check what holds for every answer. `target` is percent-encoded."""
        reply = self.runner.run(self._ask(method, target, list(chunks) or [b""], query, headers))
        check(reply, target, is_head=method == "HEAD")
        return reply

    def fresh(self) -> str:
        """A repository's name that was not used before."""
        self.repositories += 1
        return f"fresh/r{self.repositories}"

    async def _ask(self, method: str, target: str, chunks: list[bytes], query: bytes, headers: Headers) -> Reply:
        path = unquote(target)
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": target.encode("ascii"),
            "query_string": query,
            "headers": [(name.lower(), value) for name, value in headers],
            "http_version": "1.1",
            "root_path": "",
            "scheme": "http",
            "server": ("test", 80),
            "client": ("test", 1),
        }
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            if not chunks:
                await asyncio.Event().wait()
            body = chunks.pop(0)
            return {"type": "http.request", "body": body, "more_body": bool(chunks)}

        async def send(message: Any) -> None:
            sent.append(message)

        app = self.oci if path.startswith("/v2/") or path == "/v2" else self.rest
        async with asyncio.timeout(SECONDS_MAX):
            await app(scope, receive, send)
        start, *rest = sent
        return Reply(start["status"], list(start["headers"]), b"".join(message.get("body", b"") for message in rest))


@contextmanager
def http_store(**settings: Any) -> Iterator[HttpStore]:
    """An empty store in memory."""
    with asyncio.Runner() as runner:
        registry = bootstrap.open_memory(Config(**settings))
        try:
            yield HttpStore(runner, OciApp(registry), RestApp(registry))
        finally:
            runner.run(registry.close())


def check(reply: Reply, target: str, *, is_head: bool) -> None:
    """Success, 304 or a 4xx; headers that can be sent; a refusal with a code of its list, in the form of its side."""
    assert 200 <= reply.status < 300 or reply.status == 304 or 400 <= reply.status < 500, reply
    for name, value in reply.headers:
        assert not _FORBIDDEN.search(name + value), (name, value)
    if is_head:
        assert reply.body == b""
        return
    if reply.status not in (204, 304):
        assert int(reply.header(b"content-length")) == len(reply.body)
    if reply.status < 400:
        return
    value = json.loads(reply.body)
    path = unquote(target)
    if path.startswith("/v2/") or path == "/v2":
        assert reply.header(b"content-type") == b"application/json"
        (error,) = value["errors"]
        assert set(error) == {"code", "message", "detail"}
        assert error["code"] in LISTED
    else:
        assert reply.header(b"content-type") == b"application/problem+json"
        assert TABLE[value["code"]].status == reply.status == value["status"]
