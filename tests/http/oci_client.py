"""An OCI client of a few lines: it pushes what tests need and gives back every answer as it came."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

import httpx
from blake3 import blake3

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
EMPTY = "application/vnd.oci.empty.v1+json"
OCTETS = "application/octet-stream"
ALGORITHMS = ("sha256", "sha512", "blake3")


def digest(data: bytes, algorithm: str = "sha256") -> str:
    """The digest of `data`."""
    state = blake3(data) if algorithm == "blake3" else hashlib.new(algorithm, data)
    return f"{algorithm}:{state.hexdigest()}"


def descriptor(data: bytes, media_type: str = OCTETS, algorithm: str = "sha256", /, **more: Any) -> dict[str, Any]:
    """A descriptor of `data`."""
    return {"mediaType": media_type, "digest": digest(data, algorithm), "size": len(data), **more}


def image(*layers: bytes, algorithm: str = "sha256", **more: Any) -> bytes:
    """An image manifest with an empty config; a field of `more` that is None is left out."""
    fields = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": descriptor(b"{}", EMPTY, algorithm),
        "layers": [descriptor(layer, OCTETS, algorithm) for layer in layers],
        **more,
    }
    return json.dumps({name: value for name, value in fields.items() if value is not None}).encode()


def index(*manifests: bytes, **more: Any) -> bytes:
    """An index of image manifests."""
    listed = [descriptor(manifest, MANIFEST) for manifest in manifests]
    return json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": listed, **more}).encode()


class Repository:
    """One repository on a server."""

    def __init__(self, http: httpx.Client, name: str) -> None:
        self.http = http
        self.name = name
        self.at = f"/v2/{name}"

    def push_blob(self, data: bytes, algorithm: str = "sha256") -> str:
        """Push a blob in one request; its digest."""
        named = digest(data, algorithm)
        answer = self.http.post(f"{self.at}/blobs/uploads/", params={"digest": named}, content=data)
        assert answer.status_code == 201, answer.text
        return named

    def open_upload(self, **query: str) -> str:
        """Open an upload; its address."""
        answer = self.http.post(f"{self.at}/blobs/uploads/", params=query)
        assert answer.status_code == 202, answer.text
        return answer.headers["location"]

    def patch(self, upload: str, data: bytes, first: int | None = None) -> httpx.Response:
        """Send a chunk that begins at `first`, or one that does not say where."""
        headers = {} if first is None else {"content-range": f"{first}-{first + len(data) - 1}"}
        return self.http.patch(upload, content=data, headers=headers)

    def close(self, upload: str, named: str, data: bytes = b"", **headers: str) -> httpx.Response:
        """Close an upload under a digest."""
        return self.http.put(upload, params={"digest": named}, content=data, headers=headers)

    def put(
        self, reference: str, body: bytes | Iterable[bytes], media_type: str | None = MANIFEST, **query: Any
    ) -> httpx.Response:
        """Push a manifest."""
        headers = {} if media_type is None else {"content-type": media_type}
        return self.http.put(f"{self.at}/manifests/{reference}", content=body, headers=headers, params=query)

    def push(self, reference: str, body: bytes, media_type: str | None = MANIFEST, **query: Any) -> str:
        """Push a manifest that must be taken, with the empty config it names; its digest."""
        self.push_blob(b"{}")
        answer = self.put(reference, body, media_type, **query)
        assert answer.status_code == 201, answer.text
        return answer.headers["docker-content-digest"]

    def layered(self, data: bytes = b"a layer", algorithm: str = "sha256", **more: Any) -> bytes:
        """An image whose blobs are pushed first."""
        self.push_blob(b"{}", algorithm)
        self.push_blob(data, algorithm)
        return image(data, algorithm=algorithm, **more)

    def get(self, path: str, **query: Any) -> httpx.Response:
        """GET below the repository."""
        return self.http.get(f"{self.at}/{path}", params=query)

    def tags(self) -> list[str]:
        """Every tag."""
        tags: list[str] = self.get("tags/list").json()["tags"]
        return tags


def codes(answer: httpx.Response) -> list[str]:
    """The codes of an OCI error answer, whose shape is checked."""
    assert answer.headers["content-type"] == "application/json"
    errors = answer.json()["errors"]
    assert all(set(error) == {"code", "message", "detail"} for error in errors)
    return [error["code"] for error in errors]


def refused(answer: httpx.Response) -> tuple[int, list[str]]:
    """Status and codes of a refusal."""
    return answer.status_code, codes(answer)


def streamed(data: bytes, size: int = 1000) -> Iterable[bytes]:
    """`data` in pieces, which httpx sends without a Content-Length."""
    for start in range(0, len(data), size):
        yield data[start : start + size]
