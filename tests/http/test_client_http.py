"""The client's HTTP: what it repeats, whom it follows, and what it makes of what servers say."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from artifactstore import errors
from artifactstore.client import addresses
from artifactstore.client.http import TRIES, Http
from tests.http.scripted import BREAK, answer, serving
from tests.http.servers import Server

OK = answer(200, b"fine")


class Pauses(list[float]):
    """Waits for nothing, and remembers for how long it should have."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


def problem(status: int, code: str, **more: Any) -> bytes:
    """Problem details as the native API writes them."""
    value = {"status": status, "code": code, "detail": "said so", **more}
    return answer(status, json.dumps(value).encode(), content_type="application/problem+json")


def oci(status: int, code: str, detail: object = None) -> bytes:
    """The OCI error JSON."""
    entry = {"code": code, "message": "said so", "detail": detail}
    return answer(status, json.dumps({"errors": [entry]}).encode(), content_type="application/json")


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("localhost:8000/", "http://localhost:8000"),
        ("[::1]:8000", "http://[::1]:8000"),
        ("registry.example", "https://registry.example"),
        ("registry.example:5000/under/a/path/", "https://registry.example:5000/under/a/path"),
        ("http://registry.example", "http://registry.example"),
        ("https://localhost", "https://localhost"),
    ],
)
def test_plain_http_is_for_this_machine(said: str, meant: str) -> None:
    """An address without a scheme is https, and http for loopback alone; one that says http:// is taken at its word."""
    assert addresses.base_url(said) == meant


@pytest.mark.parametrize("said", ["", "ftp://host", "http://", "http://host:port", "http://user:pw@host", "http://h?q"])
def test_what_is_no_address_is_refused(said: str) -> None:
    """An address without host, with another scheme, a password or a query is the caller's mistake."""
    with pytest.raises(errors.ParameterInvalid):
        addresses.base_url(said)


@pytest.mark.parametrize(
    ("said", "error", "detail"),
    [
        (problem(404, "MANIFEST_UNKNOWN", errors={"reference": "v1"}), errors.ManifestUnknown, {"reference": "v1"}),
        (problem(409, "LOG_REWOUND", errors={"head": 7}), errors.LogRewound, {"head": 7}),
        (problem(500, "LOG_CORRUPT"), errors.LogCorrupt, {}),
        (problem(500, "INTERNAL"), errors.BackendUnavailable, {}),
        (problem(400, "UNSUPPORTED"), errors.Unsupported, {}),
        (problem(405, "READ_ONLY"), errors.ReadOnly, {}),
        (oci(404, "BLOB_UNKNOWN", {"digest": "d"}), errors.BlobUnknown, {"digest": "d"}),
        (oci(401, "UNAUTHORIZED", [{"Type": "repository"}]), errors.Denied, {"said": [{"Type": "repository"}]}),
        (oci(416, "SIZE_INVALID", {"size": 5}), errors.RangeInvalid, {"size": 5}),
        (oci(400, "NEVER_HEARD"), errors.ParameterInvalid, {}),
        (oci(500, "BLOB_UNKNOWN"), errors.BackendUnavailable, {}),
        (answer(403, b"<html>no</html>"), errors.Denied, {}),
        (answer(302, location="/elsewhere"), errors.BackendUnavailable, {}),
        (answer(200, b"not what was expected"), errors.BackendUnavailable, {}),
    ],
)
async def test_refusals_are_errors_of_the_tree(said: bytes, error: type[Exception], detail: dict[str, Any]) -> None:
    """What a server says went wrong becomes the error with that code, its message and detail kept."""
    async with serving(said) as server, Http(server.url) as http:
        with pytest.raises(error) as raised:
            await http.request("POST", "/path", expect=(201,))
    assert isinstance(raised.value, errors.ArtifactStoreError)
    assert raised.value.detail == detail
    assert "said so" in raised.value.message or server.url in raised.value.message


async def test_a_server_that_is_not_there() -> None:
    """Nobody at an address is told with the address, after the usual number of tries."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    pauses = Pauses()
    async with Http(url, sleep=pauses) as http:
        with pytest.raises(errors.BackendUnavailable, match=f"{url} cannot be reached: Connection refused"):
            await http.request("POST", "/", content=b"data")
    assert len(pauses) == TRIES - 1


@pytest.mark.parametrize(
    "trouble", [BREAK, answer(503), answer(429), answer(408), answer(200, b"cut", content_length="9")]
)
async def test_what_may_be_repeated_is(trouble: bytes) -> None:
    """A GET is asked again after a broken connection, half an answer, and a status that passes."""
    closing = trouble.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n", 1)
    async with serving(closing, closing, OK) as server, Http(server.url, sleep=Pauses()) as http:
        assert (await http.request("GET", "/a", params={"n": 1})).content == b"fine"
    assert server.lines == ["GET /a?n=1"] * 3


async def test_what_may_have_been_done_is_not_repeated() -> None:
    """A POST whose answer was lost is not sent again, and neither is a body that came from a stream."""

    async def chunks() -> AsyncIterator[bytes]:
        yield b"data"

    async with serving(BREAK, answer(503)) as server, Http(server.url, sleep=Pauses()) as http:
        with pytest.raises(errors.BackendUnavailable):
            await http.request("POST", "/", content=b"data")
        with pytest.raises(errors.BackendUnavailable):
            await http.request("PUT", "/", content=chunks())
    assert [asked.body for asked in server.asked] == [b"data", b"data"]


async def test_retry_after_is_kept_to() -> None:
    """A server that says when to come back is asked then."""
    pauses = Pauses()
    async with serving(answer(429, retry_after="7"), OK) as server, Http(server.url, sleep=pauses) as http:
        await http.request("POST", "/", content=b"data")
    assert pauses == [7.0]


async def test_a_redirect_gets_no_credentials_of_another_server() -> None:
    """A read follows a redirect to another server without its Authorization, and to the same server with it."""
    async with serving(answer(307, location="/b"), OK, OK) as other:
        moved = answer(307, location=f"{other.url}/a")
        async with serving(moved) as server, Http(server.url, headers={"authorization": "Basic eA=="}) as http:
            assert (await http.request("GET", "/x")).content == b"fine"
        async with Http(other.url, headers={"authorization": "Basic eA=="}) as http:
            await http.request("GET", "/y")
    assert [asked.headers.get("authorization") for asked in (*server.asked, *other.asked)] == [
        "Basic eA==",
        None,
        None,
        "Basic eA==",
    ]


async def test_redirects_come_to_an_end() -> None:
    """A server that redirects to itself for ever is not followed for ever."""
    async with serving(by=lambda asked: answer(307, location=asked.target)) as server, Http(server.url) as http:
        with pytest.raises(errors.BackendUnavailable, match="answered 307"):
            await http.request("GET", "/")


@pytest.mark.parametrize("nowhere", ["ftp://x/", "http://["])
async def test_redirects_that_are_refused_free_their_connections(nowhere: str) -> None:
    """More redirects to nowhere than there are connections can be refused, one after the other."""
    async with serving(by=lambda asked: answer(302, location=nowhere)) as server, Http(server.url) as http:
        for _ in range(101):
            with pytest.raises(errors.BackendUnavailable, match="a redirect to nowhere"):
                await asyncio.wait_for(http.request("GET", "/"), 60)


async def test_another_server_is_not_gone_to() -> None:
    """A Location or next page on another server, or one of less than https, is refused."""
    assert addresses.sent_on("http://a.example/v2/x", "/v2/y?z=1") == "http://a.example/v2/y?z=1"
    assert addresses.sent_on("http://a.example:80/v2/x", "http://a.example/v2/y") == "http://a.example/v2/y"
    for other in ("http://b.example/", "//b.example/", "http://a.example:81/", "https://a.example/", "http://[", "x:y"):
        with pytest.raises(errors.BackendUnavailable):
            addresses.sent_on("http://a.example/v2/x", other)
    with pytest.raises(errors.BackendUnavailable):
        addresses.sent_on("https://a.example/", "http://a.example/")


async def test_bodies_are_bounded() -> None:
    """An answer longer than asked for is refused, and of an error's endless body only the beginning is read."""
    async with serving(answer(200, b"x" * 1000), answer(400, b"x" * 1_000_000)) as server, Http(server.url) as http:
        with pytest.raises(errors.BackendUnavailable, match="more than 999 bytes"):
            await http.request("GET", "/", size_max=999)
        with pytest.raises(errors.ParameterInvalid):
            async with http.stream("GET", "/"):
                pass


async def test_a_stream_that_breaks_off_is_told() -> None:
    """Half a body is never taken for the whole."""

    async def take(http: Http) -> None:
        async with http.stream("GET", "/") as response:
            async for chunk in response.aiter_raw():
                assert chunk == b"half"

    cut = answer(200, b"half", content_length="8", connection="close")
    async with serving(cut) as server, Http(server.url) as http:
        with pytest.raises(errors.BackendUnavailable):
            await take(http)


async def test_pages_are_followed(server: Server) -> None:
    """Every entry of a list comes, whatever the size of its pages; what is no list is nonsense."""
    async with Http(server.url) as http:
        for number in range(3):
            await http.request(
                "POST", f"/v2/pages/r{number}/blobs/uploads/?digest={DIGEST}", content=b"{}", expect=(201,)
            )
        found = [row["name"] async for row in http.pages("/api/v1/repositories", "repositories", {"n": 1})]
        assert {"pages/r0", "pages/r1", "pages/r2"} <= set(found)
        assert (await http.json("/health/live"))["status"]
        with pytest.raises(errors.BackendUnavailable):
            await anext(http.pages("/health/live", "repositories"))


async def test_pages_that_go_round_are_refused() -> None:
    """A server whose next page is one that was there already is not followed for ever."""
    page = answer(200, b'{"rows": [{"a": 1}], "next": "/rows?n=1"}')
    async with serving(page, page) as server, Http(server.url) as http:
        with pytest.raises(errors.BackendUnavailable, match="circle"):
            assert [row async for row in http.pages("/rows", "rows")] == []


DIGEST = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
