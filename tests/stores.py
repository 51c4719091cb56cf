"""Fresh stores for tests: a migrated database is made once and copied, since migrating costs more than most tests."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from artifactstore.bootstrap import open_database, open_registry, system_clock
from artifactstore.config import Config
from artifactstore.dataplane.spi import one_chunk
from artifactstore.events import migrate
from artifactstore.identity.actor import ANONYMOUS
from artifactstore.identity.digest import Digest, digest_bytes
from artifactstore.identity.names import RepositoryName, TagName
from artifactstore.registry.core import Descriptor
from artifactstore.registry.manifests import PushedManifest
from artifactstore.registry.registry import Registry

IMAGE = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


@cache
def _template() -> Path:
    config = Config(data=mkdtemp(prefix="artifactstore-template-"))
    migrate.upgrade(open_database(config))
    return Path(config.sqlite_path)


def fresh_config(directory: Path, **settings: object) -> Config:
    """A Config of an empty, migrated store in `directory`."""
    config = Config(data=str(directory), **settings)  # type: ignore[arg-type]  # settings are Config's own
    if not Path(config.sqlite_path).exists():
        directory.mkdir(parents=True, exist_ok=True)
        shutil.copy(_template(), config.sqlite_path)
    return config


def fresh_registry(directory: Path, *, clock: Callable[[], int] = system_clock, **settings: object) -> Registry:
    """An empty Registry in `directory`, or the one that is there."""
    return open_registry(fresh_config(directory, **settings), clock=clock)


def sha256(data: bytes) -> Digest:
    """The digest that most clients use."""
    return digest_bytes("sha256", data)


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    """A source of several chunks."""
    for part in parts:
        yield part


async def push_blob(registry: Registry, repository: str, data: bytes, algorithm: str = "sha256") -> Descriptor:
    """Push `data` as a blob."""
    digest = digest_bytes(algorithm, data)
    return await registry.push_blob(ANONYMOUS, RepositoryName(repository), one_chunk(data), digest)


async def push_manifest(
    registry: Registry, repository: str, reference: str, manifest: bytes, media_type: str = IMAGE
) -> PushedManifest:
    """Push manifest bytes under a tag or a digest."""
    named = Digest.parse(reference) if ":" in reference else TagName(reference)
    return await registry.push_manifest(ANONYMOUS, RepositoryName(repository), named, manifest, media_type=media_type)


def descriptor(data: bytes, media_type: str = "application/octet-stream", **more: object) -> dict[str, object]:
    """A descriptor of `data`."""
    return {"mediaType": media_type, "digest": str(sha256(data)), "size": len(data), **more}


def image(layers: Sequence[bytes], *, config: bytes = b"{}", **more: object) -> bytes:
    """An OCI image manifest; layers are titled `file-<n>`."""
    titled = [
        descriptor(layer, annotations={"org.opencontainers.image.title": f"file-{number}"})
        for number, layer in enumerate(layers)
    ]
    value = {
        "schemaVersion": 2,
        "mediaType": IMAGE,
        "config": descriptor(config, "application/vnd.oci.empty.v1+json"),
        "layers": titled,
        **more,
    }
    return json.dumps(value).encode()


def index(members: Sequence[bytes], **more: object) -> bytes:
    """An OCI index of manifests."""
    value = {
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [descriptor(member, IMAGE) for member in members],
        **more,
    }
    return json.dumps(value).encode()


async def push_image(
    registry: Registry,
    repository: str,
    reference: str,
    layers: Sequence[bytes],
    annotations: Mapping[str, str] | None = None,
) -> tuple[bytes, PushedManifest]:
    """Push an image with everything it needs; gives the manifest's bytes too."""
    for data in (b"{}", *layers):
        await push_blob(registry, repository, data)
    manifest = image(layers, annotations=annotations or {})
    return manifest, await push_manifest(registry, repository, reference, manifest)
