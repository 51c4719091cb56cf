"""Requests as clients send them, so that the others fall among real work: reads, pushes, uploads, tags, deletions."""

from __future__ import annotations

import json
from random import Random

from conformance.abuse.client import Reply
from conformance.abuse.shots import IMAGE, Kind, Shot, World, allow, octets, request, sha256

PLACES_READ = (
    "/v2/",
    "/v2/_catalog",
    "/v2/_catalog?n=3&last=a",
    "/v2/_catalog?n=999999999999999999",
    "/v2/_oci/ext/discover",
    "/api/v1/packages?n=5",
    "/api/v1/repositories?n=5",
    "/api/v1/events?n=5",
    "/api/v1/openapi.json",
    "/health/live",
)
ACCEPTS = ("*/*", "text/html, */*;q=0.1", "", "application/json;q=2, */*", "a" * 5000, ", , ,", "application/json")
ODD_RANGES = (
    "bytes=0-0,2-3",
    "bytes=-5",
    "bytes=0-",
    "lines=1-2",
    "bytes=a-b",
    "bytes=0-999999",
    "bytes",
    "",
    "bytes=--1",
)


def reads(random: Random, world: World) -> Shot:
    """A list or a document, with whatever in its headers."""
    method = random.choice(("GET", "GET", "HEAD"))
    lines = (
        f"Accept: {random.choice(ACCEPTS)}",
        f"X-Odd: {'z' * random.randrange(900)}",
        "Cookie: a=b",
        "Cookie: \xff",
    )
    chosen = random.sample(lines, random.randrange(1, 4))
    data = request(method, random.choice(PLACES_READ), None, *chosen)
    return Shot("reads", data, allow((406, "NOT_ACCEPTABLE"), ok=(200,)), is_head=method == "HEAD")


def reads_content(random: Random, world: World) -> Shot:
    """A blob, part of one, or a manifest."""
    at, method = f"/v2/{world.held}", random.choice(("GET", "HEAD"))
    if random.random() < 0.3:
        target = f"{at}/manifests/{random.choice(('v1', world.manifest))}"
        return Shot("reads content", request(method, target), allow(ok=(200,)), is_head=method == "HEAD")
    line = random.choice((f"Range: {random.choice(ODD_RANGES)}", "If-None-Match: *", 'If-Range: "x"'))
    data = request(method, f"{at}/blobs/{world.blob(random)}", None, line)
    return Shot("reads content", data, allow(ok=(200, 206, 304)), is_head=method == "HEAD")


READING: tuple[Kind, ...] = (reads, reads_content)


class Client:
    """One that works in a repository of its own, one request after the other, and knows what must come of each."""

    def __init__(self, repository: str) -> None:
        self.at = f"/v2/{repository}"
        self._upload = ""
        self._bytes = b""
        self._blobs: list[bytes] = []
        self._pushed = 0

    def next(self, random: Random) -> Shot:
        """The next request."""
        steps = (self.upload, self.upload, self.blob, self.manifest, self.tag_list, self.delete)
        return random.choice(steps)(random)

    def upload(self, random: Random) -> Shot:
        """Open an upload, add to it, ask how far it is, close or cancel it."""
        if not self._upload:
            return Shot(
                "upload", request("POST", f"{self.at}/blobs/uploads/", b""), allow(ok=(202,)), then=self._opened
            )
        step = random.random()
        if step < 0.5 and len(self._bytes) < 10_000:
            return self._append(octets(random, 2000) + b"x", chunked=random.random() < 0.3)
        if step < 0.7:
            return Shot("upload", request("GET", self._upload), allow(ok=(204,)), then=self._stands)
        at, data, self._upload, self._bytes = self._upload, self._bytes, "", b""
        if step < 0.8:
            return Shot("upload", request("DELETE", at), allow(ok=(204,)))
        tail = octets(random, 500)
        data += tail
        shot = request("PUT", f"{at}?digest={sha256(data)}", tail)
        return Shot("upload", shot, allow(ok=(201,)), then=lambda _: self._keep(data))

    def blob(self, random: Random) -> Shot:
        """Push a blob at once; now and then one that is there already."""
        data = octets(random, 1500) if random.random() < 0.3 or not self._blobs else random.choice(self._blobs)
        target = f"{self.at}/blobs/uploads/?digest={sha256(data)}"
        return Shot("blob", request("POST", target, data), allow(ok=(201,)), then=lambda _: self._keep(data))

    def manifest(self, random: Random) -> Shot:
        """Push an image of blobs that are there, under one of ten tags."""
        if not self._blobs:
            return self.blob(random)
        data = random.choice(self._blobs)
        layer = {"mediaType": "application/octet-stream", "digest": sha256(data), "size": len(data)}
        body = {"schemaVersion": 2, "mediaType": IMAGE, "config": layer, "layers": [layer] * random.randrange(3)}
        target = f"{self.at}/manifests/v{random.randrange(10)}"
        shot = request("PUT", target, json.dumps(body).encode(), f"Content-Type: {IMAGE}")
        return Shot("manifest", shot, allow(ok=(201,)))

    def tag_list(self, random: Random) -> Shot:
        """Page through the tags; the repository may not be there yet."""
        target = f"{self.at}/tags/list?n={random.randrange(1, 5)}&last=v{random.randrange(10)}"
        return Shot("tags", request("GET", target), allow((404, "NAME_UNKNOWN"), ok=(200,)))

    def delete(self, random: Random) -> Shot:
        """Delete a tag, which may be there."""
        target = f"{self.at}/manifests/v{random.randrange(10)}"
        allowed = allow((404, "NAME_UNKNOWN MANIFEST_UNKNOWN"), ok=(202,))
        return Shot("delete", request("DELETE", target), allowed)

    def _append(self, data: bytes, *, chunked: bool) -> Shot:
        self._bytes += data
        if chunked:
            body = b"%x;odd=yes\r\n" % len(data) + data + b"\r\n0\r\nTrailer: z\r\n\r\n"
            shot = request("PATCH", self._upload, None, "Transfer-Encoding: chunked") + body
        else:
            first = len(self._bytes) - len(data)
            place = f"Content-Range: {first}-{len(self._bytes) - 1}"
            shot = request("PATCH", self._upload, data, place)
        return Shot("upload", shot, allow(ok=(202,)), then=self._stands)

    def _opened(self, reply: Reply) -> None:
        self._upload = reply.location

    def _stands(self, reply: Reply) -> None:
        """The upload must stand where what was acknowledged ends."""
        expected = b"\r\nrange: 0-%d\r\n" % max(0, len(self._bytes) - 1)
        if expected not in reply.head:
            raise AssertionError(f"the upload does not have {len(self._bytes)} bytes: {reply.head!r}")

    def _keep(self, data: bytes) -> None:
        if len(self._blobs) < 50:
            self._blobs.append(data)
