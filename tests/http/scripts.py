"""Scripts of requests as a daemon sends them, played against a server; every answer is read as the daemon reads it."""

from __future__ import annotations

import email.policy
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from string import Template

import httpx

from tests.http.oci_client import digest, streamed


@dataclass(frozen=True)
class Exchange:
    """An answer, what was sent for it, and what the script's names stand for."""

    answer: httpx.Response
    sent: bytes
    contents: Mapping[str, bytes]


Reading = Callable[[Exchange], None]


@dataclass(frozen=True)
class Step:
    """One request: `METHOD path [query]`, in which `$name` is the digest of that content, and the answer it needs.

    `$repo` is the path of the repository, `$other` the name of another, `$location` the last Location. `send` names the
    content of the body, `chunked` sends it without a length. `reads` fails where the daemon would.
    """

    line: str
    status: int
    send: str | None = None
    chunked: bool = False
    headers: Sequence[tuple[str, str]] = ()
    reads: Reading | None = None


Script = tuple[Step, ...]


@dataclass
class Player:
    """Plays scripts on connections of its own, in one repository."""

    http: httpx.Client
    repository: str
    other: str
    contents: Mapping[str, bytes]
    query: str = ""
    location: str = field(default="", init=False)

    def play(self, script: Script) -> None:
        """Send each request when the one before was answered; `query` goes with every one."""
        for step in script:
            self._play(step)

    def _play(self, step: Step) -> None:
        method, url, query = self._request(step)
        body = self.contents[step.send] if step.send else b""
        content = streamed(body, 60_000) if step.chunked else body or None
        at = httpx.URL(url).copy_merge_params(query) if query else url
        headers = [("accept-encoding", "gzip"), *step.headers]
        with self.http.stream(method, at, content=content, headers=headers) as answer:
            raw = b"".join(answer.iter_raw())
        told = f"{step.line}: {answer.status_code} {raw[:300]!r}"
        assert answer.status_code == step.status, told
        assert "content-encoding" not in answer.headers, told
        self.location = answer.headers.get("location", self.location)
        if step.reads is not None:
            plain = httpx.Response(answer.status_code, headers=answer.headers, content=raw)
            step.reads(Exchange(plain, body, self.contents))

    def _request(self, step: Step) -> tuple[str, str, httpx.QueryParams]:
        """Method, address and query, with what the names stand for; as in Go, the query is percent-encoded."""
        names = {name: digest(data) for name, data in self.contents.items()}
        names |= {"repo": f"/v2/{self.repository}", "other": self.other, "location": self.location}
        method, path, *query = Template(step.line).substitute(names).split(" ")
        pairs = [pair.partition("=") for given in (*query, self.query) for pair in given.split("&") if pair]
        return method, path, httpx.QueryParams([(name, value) for name, _, value in pairs])


def bytes_of(name: str) -> Reading:
    """The body is this content, byte for byte, its length is told, and a digest that is told is its own."""

    def read(exchange: Exchange) -> None:
        headers, expected = exchange.answer.headers, exchange.contents[name]
        assert exchange.answer.content == expected
        assert int(headers["content-length"]) == len(expected)
        assert headers["docker-content-digest"] == digest(expected)

    return read


def committed(name: str) -> Reading:
    """containerd and docker: the digest that a push answers with is the one that was sent."""

    def read(exchange: Exchange) -> None:
        assert exchange.answer.headers["docker-content-digest"] == digest(exchange.contents[name])

    return read


def resolved(name: str, media_type: str) -> Reading:
    """containerd: a HEAD by tag makes a descriptor of its Content-Type, Docker-Content-Digest and Content-Length."""

    def read(exchange: Exchange) -> None:
        headers, expected = exchange.answer.headers, exchange.contents[name]
        made = (headers["content-type"], headers["docker-content-digest"], int(headers["content-length"]))
        assert made == (media_type, digest(expected), len(expected))

    return read


def session(exchange: Exchange) -> None:
    """docker: an upload has an id, and a Location that is a path on this host."""
    assert exchange.answer.headers["docker-upload-uuid"]
    assert exchange.answer.headers["location"].startswith("/v2/")


def took_all(exchange: Exchange) -> None:
    """docker: `%d-%d` of the Range of a PATCH, whose end must not lie before its start, is the size of the layer."""
    found = re.match(r"(-?\d+)-(-?\d+)", exchange.answer.headers["range"])
    assert found
    start, end = map(int, found.groups())
    assert end >= start
    assert end - start + 1 == len(exchange.sent)
    session(exchange)


def size_of(name: str) -> Reading:
    """docker: the Content-Length of a HEAD is the size of the blob."""

    def read(exchange: Exchange) -> None:
        assert int(exchange.answer.headers["content-length"]) == len(exchange.contents[name])

    return read


def rest_of(name: str, start: int) -> Reading:
    """docker and containerd: a resumed pull begins where it was cut off, and goes to the end."""

    def read(exchange: Exchange) -> None:
        expected = exchange.contents[name]
        found = re.fullmatch(r"bytes ([0-9]+)-([0-9]+)/([0-9]+)", exchange.answer.headers["content-range"])
        assert found
        assert tuple(map(int, found.groups())) == (start, len(expected) - 1, len(expected))
        assert exchange.answer.content == expected[start:]

    return read


def parts_of(name: str, *spans: tuple[int, int]) -> Reading:
    """podman: several chunks come as multipart/byteranges, in the order in which they were asked for."""

    def read(exchange: Exchange) -> None:
        expected = exchange.contents[name]
        head = f"Content-Type: {exchange.answer.headers['content-type']}\r\n\r\n".encode()
        message = email.message_from_bytes(head + exchange.answer.content, policy=email.policy.HTTP)
        assert message.get_content_type() == "multipart/byteranges"
        parts = [(part["content-range"], part.get_content()) for part in message.iter_parts()]
        asked = [(f"bytes {first}-{last}/{len(expected)}", expected[first : last + 1]) for first, last in spans]
        assert parts == asked

    return read


def referrers(*kinds_and_names: tuple[str, str]) -> Reading:
    """containerd: of the first page those of the types it asked for are all there are; it never looks for a next."""

    def read(exchange: Exchange) -> None:
        kinds = {kind for kind, _ in kinds_and_names}
        found = [entry for entry in exchange.answer.json()["manifests"] if entry["artifactType"] in kinds]
        expected = [(kind, digest(exchange.contents[name])) for kind, name in kinds_and_names]
        assert [(entry["artifactType"], entry["digest"]) for entry in found] == expected
        assert "link" not in exchange.answer.headers

    return read


def a_registry(exchange: Exchange) -> None:
    """docker: no challenge means that no login is needed; an old engine looks for the version of the API."""
    assert exchange.answer.headers["docker-distribution-api-version"] == "registry/2.0"
    assert "www-authenticate" not in exchange.answer.headers
