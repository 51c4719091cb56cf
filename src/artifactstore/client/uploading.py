"""Blobs to a registry: mounted, in one request when small, else as a stream that goes on where it broke off."""

from __future__ import annotations

import re
from contextlib import aclosing, suppress

import httpx

from artifactstore.client import addresses, failures
from artifactstore.client.http import Http
from artifactstore.errors import ArtifactStoreError, BackendUnavailable, NotFound, RangeInvalid
from artifactstore.identity.digest import Digest
from artifactstore.transfer.spi import Chunks, Content, Opening
from artifactstore.transfer.verifying import Verifier, verified

SMALL_BYTES = 4 << 20
"""Up to here a blob is held in memory and sent in one request, which can be repeated."""
TRIES_WITHOUT_PROGRESS = 3
CLOSING_SECONDS = 600.0
"""So long may a registry take to look at a large blob once it is there."""
OCTETS = {"content-type": "application/octet-stream"}
_RANGE = re.compile(r"(?:bytes=)?0-(\d+)")


class Uploading:
    """The blobs of one repository, below the path `at`."""

    def __init__(self, http: Http, at: str) -> None:
        self._http = http
        self._at = at
        self._opened: dict[Digest, str] = {}

    async def mount(self, content: Content, source: str | None) -> bool:
        """Whether the registry took the blob from another of its repositories; an upload it opened instead is kept."""
        params = {"mount": str(content.digest)} | ({"from": source} if source else {})
        try:
            response = await self._http.request("POST", f"{self._at}/blobs/uploads/", params=params, expect=(201, 202))
        except BackendUnavailable:
            raise
        except ArtifactStoreError:
            return False  # whatever it does not like about mounting, a plain upload will tell
        if response.status_code == 202:
            self._opened[content.digest] = self._location(response)
        return response.status_code == 201

    async def push(self, content: Content, opening: Opening) -> None:
        """Bring a blob. Raises DigestInvalid and SizeInvalid before the registry is told that it is complete."""
        location = self._opened.pop(content.digest, None) or await self._open()
        try:
            if content.size <= SMALL_BYTES:
                body = b"".join([chunk async for chunk in verified(content, opening)])
            else:
                location, body = await self._stream(location, content, opening), b""
            await self._close(location, content, body)
        except ArtifactStoreError:
            await self._cancel(location)
            raise

    async def has(self, content: Content) -> bool:
        """Whether the blob is there, in the length that it should have."""
        response = await self._http.request("HEAD", f"{self._at}/blobs/{content.digest}", expect=(200, 404))
        size = response.headers.get("content-length", str(content.size))
        return response.status_code == 200 and size == str(content.size)

    async def _close(self, location: str, content: Content, body: bytes) -> None:
        """Tell that the blob is complete.

        A try whose answer was lost may have closed the upload: the next one finds none, and the blob is there.
        """
        try:
            await self._http.request(
                "PUT",
                location,
                params={"digest": str(content.digest)},
                headers=OCTETS,
                content=body,
                expect=(201, 204),
                silence=CLOSING_SECONDS,
            )
        except NotFound:
            if not await self.has(content):
                raise

    async def _open(self) -> str:
        return self._location(await self._http.request("POST", f"{self._at}/blobs/uploads/", expect=(202,)))

    async def _cancel(self, location: str) -> None:
        """Let the registry forget an upload; it does so by itself in time."""
        with suppress(ArtifactStoreError):
            await self._http.request("DELETE", location, expect=(202, 204))

    async def _stream(self, location: str, content: Content, opening: Opening) -> str:
        """All bytes, in as many requests as it takes; where the upload is then."""
        verifier, offset, failed = Verifier(content), 0, 0
        while offset < content.size:
            try:
                location = await self._append(location, content, opening, offset, verifier)
                offset = content.size
            except (BackendUnavailable, RangeInvalid):  # 416 too while the registry still listens to what broke off
                before = offset
                await self._http.pause(failed + 1)
                location, offset = await self._standing(location)
                failed = failed + 1 if offset <= before else 0
                if failed == TRIES_WITHOUT_PROGRESS:
                    raise
        verifier.finish()
        return location

    async def _append(self, location: str, content: Content, opening: Opening, offset: int, verifier: Verifier) -> str:
        """Everything from an offset on, as one chunk. Only one that continues another says where it belongs."""

        async def rest() -> Chunks:
            at = offset
            async with aclosing(opening(offset)) as chunks:
                async for chunk in chunks:
                    verifier.take(chunk, at)
                    at += len(chunk)
                    yield chunk

        headers = {**OCTETS, "content-length": str(content.size - offset)}
        if offset:
            headers["content-range"] = f"{offset}-{content.size - 1}"
        async with aclosing(rest()) as body:
            response = await self._http.request(
                "PATCH", location, headers=headers, content=body, expect=(201, 202, 204), silence=CLOSING_SECONDS
            )
        return self._location(response, location)

    async def _standing(self, location: str) -> tuple[str, int]:
        """Where an upload is and how many bytes it has. Raises BackendUnavailable, UploadUnknown."""
        response = await self._http.request("GET", location, expect=(204, 200, 202))
        found = _RANGE.fullmatch(response.headers.get("range", "0-0"))
        if found is None:
            raise failures.nonsense(response, "no Range of what it has")
        last = int(found[1])
        # Registries say 0-0 of an upload that has nothing yet; none would stop after a single byte.
        return self._location(response, location), last + 1 if last else 0

    def _location(self, response: httpx.Response, otherwise: str = "") -> str:
        """Where to go on. Raises BackendUnavailable for an answer that does not say, or names another server."""
        told = response.headers.get("location") or otherwise
        if not told:
            raise failures.nonsense(response, "no Location to go on at")
        return addresses.sent_on(str(response.request.url), told)
