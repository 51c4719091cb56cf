"""The registry under test, and its repositories, which are new in every run."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from conformance.oci.own.hashing import digest
from conformance.oci.own.wire import Headers, Reply, Wire

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"
OCTETS = "application/octet-stream"

CHUNK_SIZE_MIN = 1024


@dataclass(frozen=True)
class Blob:
    """Bytes, and the digest they are pushed under."""

    data: bytes
    algorithm: str = "sha256"

    @property
    def digest(self) -> str:
        """The digest."""
        return digest(self.data, self.algorithm)


class Registry:
    """A registry by its URL; `run` is a word that makes names and bytes of this run unlike those of any other."""

    def __init__(self, url: str, run: str | None = None) -> None:
        self.wire = Wire(url)
        self.run = run or secrets.token_hex(6)

    @property
    def host(self) -> str:
        """The host, with a port if there is one."""
        return urlsplit(self.wire.base).netloc

    def ask(self, method: str, target: str, body: bytes = b"", headers: Headers | None = None, **more: bool) -> Reply:
        """Send one request, see `Wire.ask`."""
        return self.wire.ask(method, target, body, headers, **more)

    def repository(self, label: str) -> Repository:
        """The repository with this label."""
        return Repository(self, f"own-{self.run}/{label}")

    def blob(self, label: str, size: int, algorithm: str = "sha256") -> Blob:
        """Bytes that no registry has seen before this run; the same label and size give the same bytes."""
        return Blob(hashlib.shake_128(f"{self.run} {label}".encode()).digest(size), algorithm)

    @cached_property
    def chunk_size(self) -> int:
        """How long a chunk of an upload has to be at least, in bytes (end-4a, OCI-Chunk-Min-Length)."""
        reply = self.repository("chunk-size").post("blobs/uploads/")
        least = reply.header("oci-chunk-min-length") or ""
        return max(CHUNK_SIZE_MIN, int(least) if least.isdigit() else 0)


@dataclass(frozen=True)
class Repository:
    """A repository: requests below it."""

    registry: Registry
    name: str

    @property
    def at(self) -> str:
        """Its path."""
        return f"/v2/{self.name}"

    def get(self, path: str, **headers: str | list[str]) -> Reply:
        """GET below the repository; underscores in header names stand for hyphens."""
        return self.registry.ask("GET", f"{self.at}/{path}", headers=_named(headers))

    def head(self, path: str, **headers: str | list[str]) -> Reply:
        """HEAD below the repository."""
        return self.registry.ask("HEAD", f"{self.at}/{path}", headers=_named(headers))

    def delete(self, path: str) -> Reply:
        """DELETE below the repository."""
        return self.registry.ask("DELETE", f"{self.at}/{path}")

    def post(self, path: str, body: bytes = b"", query: Mapping[str, str] | None = None) -> Reply:
        """POST below the repository."""
        return self.registry.ask("POST", with_query(f"{self.at}/{path}", query or {}), body)

    def put_manifest(
        self, reference: str, body: bytes, media_type: str | None = MANIFEST, tags: tuple[str, ...] = (), **more: bool
    ) -> Reply:
        """PUT a manifest (end-7a, end-7b)."""
        target = f"{self.at}/manifests/{reference}" + ("?" + urlencode([("tag", tag) for tag in tags]) if tags else "")
        headers = {"Content-Type": media_type} if media_type is not None else {}
        return self.registry.ask("PUT", target, body, headers, **more)


def with_query(url: str, more: Mapping[str, Any]) -> str:
    """A URL with further query parameters; those it has stay (end-6: a location's query is the registry's)."""
    if not more:
        return url
    parts = urlsplit(url)
    query = "&".join(filter(None, (parts.query, urlencode(list(more.items()), safe=":"))))
    return urlunsplit(parts._replace(query=query))


def query_of(url: str) -> dict[str, str]:
    """The query parameters of a URL."""
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))


def _named(headers: Mapping[str, str | list[str]]) -> Headers:
    return {name.replace("_", "-"): value for name, value in headers.items()}
