"""A store in memory with the native API in front; every answer it gives is compared with the OpenAPI document."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from artifactstore import bootstrap
from artifactstore.api.http.app import RestApp
from artifactstore.api.http.endpoints import NativeRoute, by_path
from artifactstore.api.http.openapi import ENDPOINTS, document
from artifactstore.config import Config
from artifactstore.dataplane.spi import one_chunk
from artifactstore.identity.actor import ANONYMOUS
from artifactstore.identity.digest import Digest, digest_bytes
from artifactstore.identity.names import RepositoryName, TagName
from artifactstore.registry.registry import Registry

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
TITLE = "org.opencontainers.image.title"
EMPTY = b"{}"
START = 1_763_690_000_123_456
"""The first log time of every store here, in µs since 1970 UTC; a second later with each look at the clock."""


class Pusher:
    """Pushes what the tests need to a registry."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry

    async def blob(self, repository: str, data: bytes) -> str:
        """Push a blob; returns its sha256 digest."""
        digest = digest_bytes("sha256", data)
        await self.registry.push_blob(ANONYMOUS, RepositoryName.parse(repository), one_chunk(data), digest)
        return str(digest)

    async def manifest(
        self, repository: str, manifest: Mapping[str, Any], *tags: str, algorithm: str = "sha256"
    ) -> str:
        """Push a manifest under its digest and any tags; returns the digest."""
        body = json.dumps(manifest).encode()
        digest = digest_bytes(algorithm, body)
        await self.registry.push_manifest(
            ANONYMOUS, RepositoryName.parse(repository), digest, body, tags=[TagName.parse(tag) for tag in tags]
        )
        return str(digest)

    async def package(
        self, repository: str, files: Mapping[str | None, bytes], *tags: str, algorithm: str = "sha256", **fields: Any
    ) -> str:
        """Push files (those under None without a title) as one artifact; returns the manifest's digest."""
        await self.blob(repository, EMPTY)
        layers = [descriptor(data, **{TITLE: path} if path else {}) for path, data in files.items()]
        for data in files.values():
            await self.blob(repository, data)
        fields = {"artifactType": "application/vnd.example.report", **fields}
        return await self.manifest(repository, image(layers, **fields), *tags, algorithm=algorithm)

    async def delete(self, repository: str, digest: str) -> None:
        """Delete a manifest."""
        await self.registry.delete_manifest(ANONYMOUS, RepositoryName.parse(repository), Digest.parse(digest))


class Store(Pusher):
    """The registry, to push to, and an HTTP client, to ask with."""

    def __init__(self, registry: Registry, client: httpx.AsyncClient) -> None:
        super().__init__(registry)
        self.client = client

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.client.get(path, headers=headers)

    async def json(self, path: str, **headers: str) -> dict[str, Any]:
        """The JSON object at `path`, which must be there."""
        response = await self.get(path, **headers)
        assert response.status_code == 200, response.text
        value: dict[str, Any] = response.json()
        return value


def sha256(data: bytes) -> str:
    """The sha256 digest, computed without the library under test."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def descriptor(data: bytes, media_type: str = "application/octet-stream", **annotations: str) -> dict[str, Any]:
    """A descriptor of bytes."""
    value = {"mediaType": media_type, "digest": sha256(data), "size": len(data)}
    return {**value, "annotations": annotations} if annotations else value


def image(layers: Sequence[Mapping[str, Any]], **fields: Any) -> dict[str, Any]:
    """An OCI image manifest."""
    config = descriptor(EMPTY, "application/vnd.oci.empty.v1+json")
    return {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": list(layers), **fields}


def subject(digest: str, size: int = 1) -> dict[str, Any]:
    """A descriptor of a manifest that another one refers to."""
    return {"mediaType": OCI_MANIFEST, "digest": digest, "size": size}


@asynccontextmanager
async def opened(**settings: Any) -> AsyncIterator[Store]:
    """An empty store with these settings."""
    ticks = iter(range(START, START + 10**12, 1_000_000))
    registry = bootstrap.open_memory(Config(**settings), clock=lambda: next(ticks))
    transport = httpx.ASGITransport(RestApp(registry))
    hooks = {"response": [_conforms]}
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://store", event_hooks=hooks) as client:
            yield Store(registry, client)
    finally:
        await registry.close()


async def _conforms(response: httpx.Response) -> None:
    """The answer's status, media type and body are in the document, at the path that was asked."""
    template = _template_of(response.request.url.path)
    operation = document()["paths"].get(template, {}).get(response.request.method.lower())
    if operation is None:
        return
    await response.aread()
    responses = operation["responses"]
    assert str(response.status_code) in responses, f"{template} may not answer {response.status_code}"
    content = responses[str(response.status_code)].get("content", {})
    media_type = response.headers.get("content-type", "")
    if not content:
        assert response.content == b""
    elif media_type.endswith(("/json", "+json")) and media_type in content:
        schema = {**content[media_type]["schema"], "components": document()["components"]}
        checker = Draft202012Validator.FORMAT_CHECKER
        Draft202012Validator(schema, format_checker=checker).validate(response.json())
    else:
        assert media_type in content or "*/*" in content, f"{template} may not answer {media_type}"


def _template_of(path: str) -> str | None:
    """The most telling template that a path matches."""
    for route in _ROUTES:
        if route.path_regex.match(path):
            return route.path_format
    return None


_ROUTES = [NativeRoute(found, None) for found in by_path(ENDPOINTS).values()]  # type: ignore[arg-type]
