"""HTTP as a client: one server, whose answers are either what was expected or an error of our own tree."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from functools import partial
from types import TracebackType
from typing import Any, Protocol, Self
from urllib.parse import urljoin

import httpx

import artifactstore
from artifactstore.client import addresses, failures
from artifactstore.client.paging import Walk, read_page
from artifactstore.config import is_loopback

Params = Mapping[str, str | int]
Headers = Mapping[str, str]
Content = bytes | AsyncIterator[bytes] | None

CONNECT_SECONDS = 10.0
SILENCE_SECONDS = 60.0
"""So long may a server leave a request without a byte."""
TRIES = 5
PAUSE_SECONDS = 0.25
"""At most so long before the second try, and twice as long before each further one: a random part of it, so that
those who failed together do not return together."""
PAUSE_SECONDS_MAX = 60.0
BODY_MAX = 64 << 20
REDIRECTS_MAX = 5
REPEATABLE = frozenset({"GET", "HEAD", "PUT"})
"""What may have happened and be asked for again. A DELETE is not: it would find nothing the second time."""
TRANSIENT = frozenset({408, 429, 502, 503, 504})
REDIRECTS = frozenset({301, 302, 303, 307, 308})
FRAMING = frozenset({"content-encoding", "transfer-encoding"})
Attempt = Callable[[httpx.Request, bool], Awaitable[httpx.Response]]


class Authorizer(Protocol):
    """Who knows the credentials for one server."""

    async def header(self) -> str | None:
        """The Authorization to send, as far as it is known what the server wants."""
        ...

    async def challenged(self, response: httpx.Response) -> bool:
        """Learn from a 401; whether there is now something else to send."""
        ...


class Http:
    """One server, at `base_url`. Paths are below it; an absolute address is taken when it is of the same server.

    Without a scheme the address is https, and http for this machine. Everything raises BackendUnavailable when the
    server does not answer or answers nonsense, and what it refuses with otherwise. `headers` go with every request.
    """

    def __init__(
        self,
        base_url: str,
        *,
        authorizer: Authorizer | None = None,
        headers: Headers | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.base_url = addresses.base_url(base_url)
        self._authorizer = authorizer
        self._sleep = sleep
        own = {"user-agent": f"artifactstore/{artifactstore.__version__}", "accept-encoding": "identity"}
        # A proxy that the environment names is for other machines. Redirects are followed below, not by the library.
        self._client = httpx.AsyncClient(
            headers={**own, **(headers or {})},
            timeout=httpx.Timeout(SILENCE_SECONDS, connect=CONNECT_SECONDS, pool=None),
            trust_env=not is_loopback(addresses.host_of(self.base_url.partition("://")[2])),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every connection. Idempotent."""
        await self._client.aclose()

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        headers: Headers | None = None,
        content: Content = None,
        expect: Collection[int] = (200,),
        silence: float | None = SILENCE_SECONDS,
        size_max: int = BODY_MAX,
    ) -> httpx.Response:
        """The answer, its body read, when its status is one of `expect`; an answer beyond `size_max` is nonsense.

        What may be repeated is, a few times, when the connection fails or the server says that it cannot just now.
        `silence`: seconds that the server may take for each byte; None: as long as it likes.
        """
        asked = self._request(method, path, params, headers, content, silence)
        response = await self._tried(asked, content, partial(self._whole, size_max=size_max))
        if response.status_code not in expect:
            raise failures.refusal(response, response.content)
        return response

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        headers: Headers | None = None,
        content: Content = None,
        expect: Collection[int] = (200,),
        silence: float | None = SILENCE_SECONDS,
    ) -> AsyncIterator[httpx.Response]:
        """As `request`, the body unread: take `aiter_raw`. A body that breaks off raises BackendUnavailable."""
        asked = self._request(method, path, params, headers, content, silence)
        response = await self._tried(asked, content, self._authorized)
        try:
            if response.status_code not in expect:
                raise failures.refusal(response, await _read(response, failures.BODY_MAX))
            yield response
        except httpx.HTTPError as error:
            raise failures.unreachable(str(asked.url), error) from error
        finally:
            await response.aclose()

    async def json(self, path: str, params: Params | None = None) -> Any:
        """The JSON value that a GET is answered with."""
        response = await self.request("GET", path, params=params, headers={"accept": "application/json"})
        try:
            return json.loads(response.content)
        except (ValueError, RecursionError):
            raise failures.nonsense(response, "not JSON") from None

    async def pages(self, path: str, key: str, params: Params | None = None) -> AsyncIterator[dict[str, Any]]:
        """Every entry of a list of the native API, over all its pages."""
        walk = Walk(self.address(path))
        while walk.address is not None:
            response = await self.request("GET", walk.address, params=params, headers={"accept": "application/json"})
            page = read_page(response, key)
            for entry in page[key]:
                yield entry
            walk.on(response, page[key], page["next"])
            params = None

    async def pause(self, attempt: int) -> None:
        """Wait as long as is fit before the try after the `attempt`th."""
        await self._sleep(_pause(attempt))

    def address(self, path: str) -> str:
        """The absolute address of a path below the server's; one that is absolute already, if it is the server's."""
        return addresses.sent_on(self.base_url, path) if "://" in path else f"{self.base_url}{path}"

    def _request(
        self,
        method: str,
        path: str,
        params: Params | None,
        headers: Headers | None,
        content: Content,
        silence: float | None,
    ) -> httpx.Request:
        timeout = httpx.Timeout(silence, connect=CONNECT_SECONDS, pool=None)
        address = httpx.URL(self.address(path)).copy_merge_params(params or {})
        return self._client.build_request(method, address, headers=headers, content=content, timeout=timeout)

    async def _tried(self, request: httpx.Request, content: Content, attempt: Attempt) -> httpx.Response:
        """What `attempt` brings in the end, after as many tries as it takes and may take."""
        repeatable = not isinstance(content, AsyncIterator)
        for tries_left in reversed(range(TRIES)):
            pause = _pause(TRIES - tries_left)
            try:
                response = await attempt(request, repeatable)
            except httpx.HTTPError as error:
                if not (repeatable and tries_left and _may_be_repeated(request, error)):
                    raise failures.unreachable(str(request.url), error) from error
            else:
                if not (repeatable and tries_left and _passes(request, response)):
                    return response
                pause = _asked_pause(response) or pause
                await response.aclose()
            await self._sleep(pause)
        raise AssertionError("the last try returns or raises")

    async def _whole(self, request: httpx.Request, repeatable: bool, *, size_max: int) -> httpx.Response:
        """The answer with its body read, as it came: not even an encoding that nobody asked for is taken off."""
        response = await self._authorized(request, repeatable)
        try:
            body = await _read(response, size_max)
        finally:
            await response.aclose()
        if len(body) > size_max:
            raise failures.nonsense(response, f"more than {size_max} bytes")
        headers = [(name, value) for name, value in response.headers.multi_items() if name not in FRAMING]
        return httpx.Response(response.status_code, headers=headers, content=body, request=response.request)

    async def _authorized(self, request: httpx.Request, repeatable: bool) -> httpx.Response:
        """The answer with what credentials there are; asked again when a 401 says which are wanted."""
        if self._authorizer is None:
            return await self._followed(request)
        await self._authorize(request, self._authorizer)
        response = await self._followed(request)
        if response.status_code != 401 or not await self._learnt(response, self._authorizer) or not repeatable:
            return response
        await response.aclose()
        await self._authorize(request, self._authorizer)
        return await self._followed(request)

    async def _learnt(self, response: httpx.Response, authorizer: Authorizer) -> bool:
        try:
            return await authorizer.challenged(response)
        except BaseException:
            await response.aclose()
            raise

    async def _authorize(self, request: httpx.Request, authorizer: Authorizer) -> None:
        header = await authorizer.header()
        if header is not None:
            request.headers["authorization"] = header

    async def _followed(self, request: httpx.Request) -> httpx.Response:
        """The answer at the end of all redirects. Only reads are followed: content is not carried elsewhere."""
        response = await self._client.send(request, stream=True)
        for _ in range(REDIRECTS_MAX):
            if response.status_code not in REDIRECTS or request.method not in ("GET", "HEAD"):
                break
            try:
                request = self._redirected(request, response)
            finally:
                await response.aclose()
            response = await self._client.send(request, stream=True)
        return response

    def _redirected(self, request: httpx.Request, response: httpx.Response) -> httpx.Request:
        """The request for where a redirect leads: another server gets no credentials, and never less than https."""
        try:
            address = urljoin(str(request.url), response.headers.get("location", ""))
            there = addresses.origin(address)
        except ValueError:
            raise failures.nonsense(response, "a redirect to nowhere") from None
        here = addresses.origin(str(request.url))
        if here[0] == "https" and there[0] != "https":
            raise failures.nonsense(response, "a redirect from https to http")
        following = self._client.build_request(request.method, address)
        following.headers = httpx.Headers({**request.headers, "host": following.headers["host"]})
        if there != here:
            for name in ("authorization", "cookie"):
                following.headers.pop(name, None)
        following.extensions = request.extensions
        return following


async def _read(response: httpx.Response, size_max: int) -> bytes:
    """The body, and one byte at most beyond `size_max`."""
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > size_max:
            break
    return bytes(body[: size_max + 1])


def _may_be_repeated(request: httpx.Request, error: httpx.HTTPError) -> bool:
    """Whether nothing was done yet, or doing it again does no harm."""
    if failures.handshake_fault(error) is not None:
        return False
    return request.method in REPEATABLE or isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)


def _passes(request: httpx.Request, response: httpx.Response) -> bool:
    """Whether the same request may be answered differently in a moment."""
    status = response.status_code
    return status == 429 or (request.method in REPEATABLE and status in TRANSIENT)


def _pause(attempt: int) -> float:
    return float(random.uniform(0.5, 1) * PAUSE_SECONDS * 2 ** (attempt - 1))


def _asked_pause(response: httpx.Response) -> float | None:
    """Retry-After in seconds (RFC 9110 10.2.3); a date is not looked at."""
    text = response.headers.get("retry-after", "")
    return min(float(text), PAUSE_SECONDS_MAX) if text.isascii() and text.isdigit() else None
