"""Requests read and answers sent over ASGI, without a server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from artifactstore.api.http import answers, calls
from artifactstore.api.http.answers import Answer, content, empty, json_answer
from artifactstore.api.http.calls import Call, ClientDisconnected, ClientStalled, parse_query
from artifactstore.dataplane.spi import Served
from artifactstore.errors import ParameterInvalid, SizeExceeded

GONE = {"type": "http.disconnect"}


def scope(method: str = "GET", **changes: Any) -> dict[str, Any]:
    """An ASGI scope as small as it may be."""
    return {"type": "http", "method": method, "path": "/v2/", "query_string": b"", "headers": [], **changes}


def part(body: bytes, *, more: bool = True) -> dict[str, Any]:
    """A piece of a request's body."""
    return {"type": "http.request", "body": body, "more_body": more}


class Client:
    """The other end of the connection: what it sends, then silence; and what it was sent."""

    def __init__(self, *messages: dict[str, Any]) -> None:
        self.messages = list(messages)
        self.sent: list[dict[str, Any]] = []

    async def receive(self) -> dict[str, Any]:
        if not self.messages:
            await asyncio.Event().wait()
        return self.messages.pop(0)

    async def send(self, message: Any) -> None:
        self.sent.append(message)
        await asyncio.sleep(0)

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent)


class Chunks:
    """A source of chunks that knows whether it was closed."""

    def __init__(self, *chunks: bytes, fails: bool = False) -> None:
        self.chunks = list(chunks)
        self.fails = fails
        self.closed = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self.chunks:
            return self.chunks.pop(0)
        if self.fails:
            raise OSError("the disk is gone")
        raise StopAsyncIteration

    async def aclose(self) -> None:
        self.closed = True


async def test_a_body_is_read_within_its_limit_without_an_announced_length() -> None:
    """Chunks are put together, and the limit counts what comes, not what was announced."""
    client = Client(part(b"abc"), part(b""), part(b"def", more=False))
    assert await Call(scope("PUT"), client.receive).read_limited(6) == b"abcdef"
    client = Client(part(b"abc"), part(b"defg"))
    with pytest.raises(SizeExceeded):
        await Call(scope("PUT"), client.receive).read_limited(6)


async def test_an_announced_length_beyond_the_limit_is_refused_unread() -> None:
    """Content-Length is believed when it says too much."""
    client = Client(part(b"abc"))
    call = Call(scope("PUT", headers=[(b"content-length", b"7")]), client.receive)
    with pytest.raises(SizeExceeded):
        await call.read_limited(6)
    assert client.messages


async def test_a_body_that_breaks_off_is_no_body() -> None:
    """A disconnect before the end raises, after what came was handed on."""
    stream = Call(scope("PUT"), Client(part(b"abc"), GONE).receive).body_stream()
    assert await anext(stream) == b"abc"
    with pytest.raises(ClientDisconnected):
        await anext(stream)


async def test_a_body_that_stops_coming_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that is silent for too long is told apart from one that left."""
    monkeypatch.setattr(calls, "BODY_IDLE_SECONDS", 0.01)
    with pytest.raises(ClientStalled):
        await Call(scope("PUT"), Client(part(b"abc")).receive).read_limited(6)


def test_header_lines_of_one_name_are_one_value() -> None:
    """RFC 9110, 5.3: several lines are joined by commas; all values are at hand too."""
    call = Call(scope(headers=[(b"accept", b"a/b"), (b"accept", b"c/d")]), Client().receive)
    assert call.header(b"accept") == "a/b, c/d"
    assert call.headers == {b"accept": [b"a/b", b"c/d"]}
    assert call.header(b"range") is None


def test_a_length_that_is_no_number_is_refused() -> None:
    """A Content-Length in words does not reach the store."""
    call = Call(scope(headers=[(b"content-length", b"-1")]), Client().receive)
    with pytest.raises(ParameterInvalid):
        _ = call.length


def test_a_query_keeps_order_and_blank_values() -> None:
    """Pairs come as they stand, percent and plus decoded."""
    assert parse_query(b"tag=b&tag=a%20c&x&y=") == [("tag", "b"), ("tag", "a c"), ("x", ""), ("y", "")]


@pytest.mark.parametrize("raw", [b"a=%ff", b"\xff", b"&".join([b"a=1"] * 1001), b"a=" + b"x" * (33 << 10)])
def test_a_query_beyond_its_limits_is_refused(raw: bytes) -> None:
    """No UTF-8, too many pairs, too many bytes."""
    with pytest.raises(ParameterInvalid):
        parse_query(raw)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_head_has_the_length_and_not_the_body(method: str) -> None:
    """RFC 9110, 9.3.2: the same headers, Content-Length among them, and nothing after them."""
    client, chunks = Client(), Chunks(b"abc", b"def")
    for answer in (json_answer({"a": 1}), content(Served(6, chunks), b"application/octet-stream")):
        client.sent.clear()
        await answer(scope(method), client.receive, client.send)
        length = int(dict(client.sent[0]["headers"])[b"content-length"])
        assert length == (6 if isinstance(answer.body, Served) else 7)
        assert len(client.body) == (length if method == "GET" else 0)
    assert chunks.closed


async def test_the_last_chunk_is_sent_as_the_last() -> None:
    """No empty message follows, and the source is closed."""
    client, chunks = Client(), Chunks(b"abc", b"def")
    await content(Served(6, chunks), b"a/b")(scope(), client.receive, client.send)
    assert [message.get("more_body") for message in client.sent[1:]] == [True, False]
    assert client.body == b"abcdef"
    assert chunks.closed


async def test_an_empty_stream_is_an_empty_body() -> None:
    """Zero bytes end the response too."""
    client = Client()
    await content(Served(0, Chunks()), b"a/b")(scope(), client.receive, client.send)
    assert client.sent[1] == {"type": "http.response.body", "body": b""}


async def test_a_stream_ends_when_the_client_is_gone() -> None:
    """Nothing more is read for somebody who left; the source is closed."""
    client, chunks = Client(GONE), Chunks(*[b"x"] * 1000)
    await content(Served(1000, chunks), b"a/b")(scope(), client.receive, client.send)
    assert len(client.body) < 10
    assert chunks.closed


async def test_a_stream_that_fails_breaks_off_short() -> None:
    """The headers are out, so the missing end is what tells the client; the source is closed."""
    client, chunks = Client(), Chunks(b"abc", fails=True)
    await content(Served(6, chunks), b"a/b")(scope(), client.receive, client.send)
    assert client.sent[-1] == {"type": "http.response.body", "body": b"abc", "more_body": True}
    assert chunks.closed


def test_lengths_are_said_where_they_may_be() -> None:
    """204 and 304 have no Content-Length (RFC 9110, 8.6), every other empty answer has one of 0."""
    assert empty(202).headers == ((b"content-length", b"0"),)
    assert empty(204).headers == empty(304).headers == ()


async def test_every_answer_forbids_guessing_its_type() -> None:
    """X-Content-Type-Options is sent with everything."""
    client = Client()
    await Answer(200)(scope(), client.receive, client.send)
    assert answers.NOSNIFF in client.sent[0]["headers"]
