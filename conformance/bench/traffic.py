"""The traffic of the quick measurements, on plain sockets so that the client costs little beside the server."""

from __future__ import annotations

import asyncio
import hashlib
import http.client
import json
import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

REPOSITORY = "bench/quick"
TAG = "latest"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
CONNECTIONS = 16
BUFFER_BYTES = 1 << 20


class TrafficFailed(Exception):
    """A registry answered a measurement with something that is no success."""


@dataclass(frozen=True)
class Registry:
    """A registry to measure, by its address."""

    name: str
    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Registry:
        """Read `name=http://127.0.0.1:5000`; only loopback addresses are measured."""
        name, _, url = text.partition("=")
        parts = urlsplit(url)
        if parts.scheme != "http" or parts.hostname not in {"127.0.0.1", "localhost", "::1"}:
            raise ValueError(f"{text!r} is not name=http://127.0.0.1:PORT")
        return cls(name, parts.hostname, parts.port or 80)

    def connect(self) -> http.client.HTTPConnection:
        """A new connection."""
        return http.client.HTTPConnection(self.host, self.port, timeout=120)


def digest_of(path: Path) -> str:
    """The sha256 digest of a file."""
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def push_blob(registry: Registry, path: Path, digest: str) -> float:
    """Push a file as a blob by POST and PUT, sent by sendfile, and return the seconds it took."""
    connection = registry.connect()
    began = time.perf_counter()
    connection.request("POST", f"/v2/{REPOSITORY}/blobs/uploads/", headers={"Content-Length": "0"})
    location = urlsplit(finish(connection, 202).headers["Location"])
    query = f"{location.query}&" if location.query else ""
    connection.putrequest("PUT", f"{location.path}?{query}digest={digest}")
    connection.putheader("Content-Length", str(path.stat().st_size))
    connection.putheader("Content-Type", "application/octet-stream")
    connection.endheaders()
    with path.open("rb") as file:
        connection.sock.sendfile(file)
    finish(connection, 201)
    seconds = time.perf_counter() - began
    connection.close()
    return seconds


def pull_blob(registry: Registry, digest: str, size: int) -> float:
    """Read a blob to its end, keeping nothing, and return the seconds it took."""
    connection = registry.connect()
    buffer = memoryview(bytearray(BUFFER_BYTES))
    began = time.perf_counter()
    connection.request("GET", f"/v2/{REPOSITORY}/blobs/{digest}")
    answer = connection.getresponse()
    read = 0
    while count := answer.readinto(buffer):
        read += count
    seconds = time.perf_counter() - began
    connection.close()
    if answer.status != 200 or read != size:
        raise TrafficFailed(f"{registry.name} answered {answer.status} with {read} of {size} bytes")
    return seconds


def delete_blob(registry: Registry, digest: str) -> None:
    """Unlink a measured blob again."""
    connection = registry.connect()
    connection.request("DELETE", f"/v2/{REPOSITORY}/blobs/{digest}")
    finish(connection, 202)
    connection.close()


def push_manifest(registry: Registry, folder: Path) -> None:
    """Push the small artifact whose manifest is asked for."""
    config = folder / "config.json"
    config.write_bytes(b"{}")
    descriptor = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": digest_of(config), "size": 2}
    push_blob(registry, config, digest_of(config))
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": descriptor, "layers": [descriptor]}
    connection = registry.connect()
    headers = {"Content-Type": MANIFEST_TYPE}
    connection.request("PUT", f"/v2/{REPOSITORY}/manifests/{TAG}", body=json.dumps(manifest), headers=headers)
    finish(connection, 201)
    connection.close()


def finish(connection: http.client.HTTPConnection, expected: int) -> http.client.HTTPResponse:
    """Read the answer to its end; TrafficFailed unless it has the expected status."""
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != expected:
        raise TrafficFailed(f"{connection.host}:{connection.port} answered {answer.status}: {body[:300]!r}")
    return answer


def manifest_gets(registry: Registry, seconds: int) -> float:
    """Requests a second of manifest GET by tag on 16 connections, by wrk where it is installed."""
    path = f"/v2/{REPOSITORY}/manifests/{TAG}"
    wrk = shutil.which("wrk")
    if wrk is None:
        return asyncio.run(ask_for(registry, path, seconds))
    url = f"http://{registry.host}:{registry.port}{path}"
    command = [wrk, "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-H", f"Accept: {MANIFEST_TYPE}", url]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 30).stdout
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    if rate is None or "Non-2xx" in said or "Socket errors" in said:
        raise TrafficFailed(f"{registry.name}: {said.strip()}")
    return float(rate[1])


async def ask_for(registry: Registry, path: str, seconds: int) -> float:
    """The same without wrk: one loop, 16 connections, the next request when the answer has arrived."""
    began = time.perf_counter()
    tasks = [ask_until(registry, path, began + seconds) for _ in range(CONNECTIONS)]
    answered = sum(await asyncio.gather(*tasks))
    return answered / (time.perf_counter() - began)


async def ask_until(registry: Registry, path: str, deadline: float) -> int:
    """Ask on one connection until the deadline and return how many answers came."""
    reader, writer = await asyncio.open_connection(registry.host, registry.port)
    request = f"GET {path} HTTP/1.1\r\nHost: {registry.host}\r\nAccept: {MANIFEST_TYPE}\r\n\r\n".encode()
    answered = 0
    while time.perf_counter() < deadline:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        if not head.startswith(b"HTTP/1.1 200") or length is None:
            raise TrafficFailed(f"{registry.name} answered {head[:100]!r}")
        await reader.readexactly(int(length[1]))
        answered += 1
    writer.close()
    await writer.wait_closed()
    return answered
