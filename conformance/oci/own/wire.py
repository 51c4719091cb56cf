"""HTTP as the checks speak it: every header as it came, nothing decoded, only a GET or HEAD follows a redirect."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import urljoin, urlsplit

from conformance.oci.own.check import Failed

CONNECTIONS = 6
"""So many are used in turn, so that requests reach every worker process of a registry that has several."""

SECONDS_MAX = 60
PIECE = 64 << 10
REDIRECTS = (301, 302, 307, 308)
REDIRECTS_MAX = 5
BODIED = ("POST", "PUT", "PATCH")

Headers = Mapping[str, str | list[str]]


@dataclass(frozen=True)
class Reply:
    """An answer, with what was asked for the report; header names are lower-case, repeated lines stay apart."""

    asked: str
    url: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def lines(self, name: str) -> list[str]:
        """The values of a header's lines."""
        return [value for key, value in self.headers if key == name]

    def header(self, name: str) -> str | None:
        """A header's value, several lines joined by commas (RFC 9110, 5.3)."""
        values = self.lines(name)
        return ", ".join(values) if values else None

    def json(self) -> Any:
        """The body as JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise Failed(f"{self.asked}: the body is no JSON: {self.body[:100]!r}") from None

    def __str__(self) -> str:
        """What was asked and answered, in one line."""
        return f"{self.asked} -> {self.status} {self.body[:200].decode('utf-8', 'replace')}".rstrip()


class Wire:
    """Connections to one registry, and to wherever it redirects. For one thread."""

    def __init__(self, base: str) -> None:
        self.base = base.rstrip("/")
        self._open: dict[tuple[str, int], HTTPConnection] = {}
        self._turn = 0

    def close(self) -> None:
        """Close every connection."""
        for connection in self._open.values():
            connection.close()

    def ask(
        self, method: str, target: str, body: bytes = b"", headers: Headers | None = None, *, chunked: bool = False
    ) -> Reply:
        """Send one request; `target` is a path or a URL, a `chunked` body goes without Content-Length."""
        url = target if "://" in target else self.base + target
        reply = self._exchange(method, url, body, headers or {}, chunked=chunked)
        for _ in range(REDIRECTS_MAX):
            found = reply.header("location")
            if method not in ("GET", "HEAD") or reply.status not in REDIRECTS or found is None:
                break
            reply = self._exchange(method, urljoin(reply.url, found), b"", headers or {}, chunked=False)
        return reply

    def _exchange(self, method: str, url: str, body: bytes, headers: Headers, *, chunked: bool) -> Reply:
        """One request, sent again once if the connection had been closed meanwhile."""
        self._turn = (self._turn + 1) % CONNECTIONS
        connection, used = self._connection(url)
        for again in (used, False):
            try:
                _send(connection, method, url, body, headers, chunked=chunked)
                return _received(connection.getresponse(), method, url)
            except (OSError, HTTPException) as problem:
                connection.close()
                if not again:
                    raise Failed(f"{method} {url}: no answer: {problem!r}") from None
        raise AssertionError

    def _connection(self, url: str) -> tuple[HTTPConnection, bool]:
        parts = urlsplit(url)
        key = (f"{parts.scheme}://{parts.netloc}", self._turn)
        used = key in self._open and self._open[key].sock is not None
        if key not in self._open:
            make: Callable[..., HTTPConnection] = HTTPSConnection if parts.scheme == "https" else HTTPConnection
            self._open[key] = make(parts.hostname or "", parts.port, timeout=SECONDS_MAX)
        return self._open[key], used


def _send(connection: HTTPConnection, method: str, url: str, body: bytes, headers: Headers, *, chunked: bool) -> None:
    """Write a request. Every one says that gzip would do, as Go's clients do: nobody may take them at their word."""
    parts = urlsplit(url)
    connection.putrequest(method, parts.path + (f"?{parts.query}" if parts.query else ""), skip_accept_encoding=True)
    for name, value in {"Accept-Encoding": "gzip", **headers}.items():
        for line in [value] if isinstance(value, str) else value:
            connection.putheader(name, line)
    if chunked:
        connection.putheader("Transfer-Encoding", "chunked")
    elif body or method in BODIED:
        connection.putheader("Content-Length", str(len(body)))
    # A registry may refuse a body before it has come in full; its answer is what counts then.
    with suppress(BrokenPipeError, ConnectionResetError):
        connection.endheaders(_pieces(body) if body or chunked else None, encode_chunked=chunked)


def _pieces(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), PIECE):
        yield body[start : start + PIECE]


def _received(response: HTTPResponse, method: str, url: str) -> Reply:
    headers = tuple((name.lower(), value) for name, value in response.getheaders())
    parts = urlsplit(url)
    asked = f"{method} {parts.path}" + (f"?{parts.query}" if parts.query else "")
    return Reply(asked[:300], url, response.status, headers, response.read())
