"""Headers that several `/v2` answers share, as finished bytes, and the conditions that refer to them."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlencode

from artifactstore.api.http.calls import Call
from artifactstore.identity.digest import Digest

Header = tuple[bytes, bytes]


def location(path: str) -> Header:
    """Where something is: a path without a host, which is right behind any proxy."""
    return (b"location", path.encode())


def blob_location(repository: str, digest: Digest) -> Header:
    """A blob's address."""
    return location(f"/v2/{repository}/blobs/{digest}")


def manifest_location(repository: str, digest: Digest) -> Header:
    """A manifest's address."""
    return location(f"/v2/{repository}/manifests/{digest}")


def upload_location(repository: str, upload_id: str) -> Header:
    """An upload's address, one and the same for all of its requests, so that a stale one is still right."""
    return location(f"/v2/{repository}/blobs/uploads/{upload_id}")


def content_digest(digest: Digest) -> Header:
    """The digest as it was asked for, or pushed under: clients compare it with the one they know."""
    return (b"docker-content-digest", str(digest).encode())


def etag(digest: Digest) -> str:
    """The entity tag of content that can never change."""
    return f'"{digest}"'


def next_link(path: str, parameters: Iterable[tuple[str, str | int | None]]) -> Header:
    """Where a list goes on (RFC 8288); parameters without a value are left out."""
    given = urlencode([(name, value) for name, value in parameters if value is not None])
    return (b"link", f'<{path}?{given}>; rel="next"'.encode())


def is_known_to(call: Call, tag: str) -> bool:
    """Whether If-None-Match says that the caller has this content already (RFC 9110, 13.1.2)."""
    asked = call.header(b"if-none-match")
    if asked is None:
        return False
    return any(item.strip().removeprefix("W/") in (tag, "*") for item in asked.split(","))
