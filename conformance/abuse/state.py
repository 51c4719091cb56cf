"""What a server holds, as one digest: what a refused request must leave as it was."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from conformance.abuse.client import Connection, Reply
from conformance.abuse.shots import IMAGE, World, request, sha256

HELD = "abuse/held"
UPLOADS = 16
OFFSET = 5
BLOBS = (b"{}", bytes(range(256)) * 4, bytes(300_000))
PAGE = 1000


class Spoilt(Exception):
    """The server did not answer a request that it must."""


class Asking:
    """A connection for requests that must succeed."""

    def __init__(self, port: int) -> None:
        self._connection = Connection(port)

    async def ask(self, data: bytes, *statuses: int) -> Reply:
        """Send a request; raises Spoilt unless the answer has one of the statuses."""
        await self._connection.send(data)
        reply = await self._connection.reply()
        if reply is None or reply.status not in statuses:
            raise Spoilt(f"{data[:300]!r} was answered {reply}")
        return reply

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


async def prepare(asking: Asking) -> World:
    """Push what the requests refer to: an image with a tag, blobs, and uploads that stay open."""
    for data in BLOBS:
        await asking.ask(request("POST", f"/v2/{HELD}/blobs/uploads/?digest={sha256(data)}", data), 201)
    config = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": sha256(BLOBS[0]), "size": len(BLOBS[0])}
    body = json.dumps({"schemaVersion": 2, "mediaType": IMAGE, "config": config, "layers": []}).encode()
    await asking.ask(request("PUT", f"/v2/{HELD}/manifests/v1", body, f"Content-Type: {IMAGE}"), 201)
    uploads = []
    for _ in range(UPLOADS):
        opened = await asking.ask(request("POST", f"/v2/{HELD}/blobs/uploads/", b""), 202)
        await asking.ask(request("PATCH", opened.location, b"01234"), 202)
        uploads.append(opened.location)
    return World(HELD, tuple(uploads), OFFSET, {sha256(data): len(data) for data in BLOBS}, sha256(body))


async def digest(asking: Asking, world: World) -> str:
    """Everything that can be asked for: the log's head, every list, every upload's offset, the held content."""
    found = hashlib.sha256()
    for upload in world.uploads:
        found.update(_standing(await asking.ask(request("GET", upload), 204)))
    found.update(_standing(await asking.ask(request("GET", "/api/v1/events?n=1"), 200)))
    catalog = await asking.ask(request("GET", "/v2/_catalog"), 200)
    found.update(catalog.body)
    for name in json.loads(catalog.body)["repositories"]:
        for target in (f"/v2/{name}/tags/list", f"/api/v1/packages?repository={name}&n={PAGE}"):
            found.update((await asking.ask(request("GET", target), 200)).body)
    for blob in world.blobs:
        found.update((await asking.ask(request("GET", f"/v2/{world.held}/blobs/{blob}"), 200)).body)
    return found.hexdigest()


def _standing(reply: Reply) -> bytes:
    """The headers that say how far an upload or the log is; others may differ from answer to answer."""
    told = (b"range:", b"location:", b"artifactstore-log-")
    return b"\n".join(line for line in reply.head.split(b"\r\n") if line.startswith(told))


def resident(session: int) -> int:
    """The memory in bytes of every process of a session."""
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[3]) == session:
                total += int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
        except (OSError, IndexError):  # it ended meanwhile
            continue
    return total
