"""Two stores of one shape and different size: what each holds, and how it is filled.

Filling goes through the library, so that every row follows from a real event; only the syncing to disk is left out.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from artifactstore import ANONYMOUS, Config, Digest, Registry, RepositoryName, TagName
from artifactstore.bootstrap import open_registry
from artifactstore.dataplane.spi import one_chunk

MAIN, LISTED = RepositoryName("growth/main"), RepositoryName("growth/listed")
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"
KIND = "application/vnd.example.report"
CONFIG = b"{}"
TAGS_A_PACKAGE = 10
WRITERS = 64
"""As many requests as the log takes into one transaction."""

T = TypeVar("T")
Json = dict[str, Any]


@dataclass(frozen=True)
class Shape:
    """How many of each a store holds; an index lists the members."""

    tags: int
    referrers: int
    repositories: int
    members: int

    @property
    def packages(self) -> int:
        """Each has ten tags."""
        return -(-self.tags // TAGS_A_PACKAGE)

    def scaled(self, scale: float, least: Shape) -> Shape:
        """The same shape, smaller, yet not below `least`."""
        counts = (max(int(getattr(self, name) * scale), getattr(least, name)) for name in self.__dataclass_fields__)
        return Shape(*counts)


SMALL = Shape(tags=100, referrers=10, repositories=50, members=5)
LARGE = Shape(tags=100_000, referrers=10_000, repositories=50_000, members=5_000)


def digest(data: bytes) -> str:
    """The sha256 digest that clients use."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def descriptor(data: bytes, media_type: str) -> Json:
    """What a manifest says of other content."""
    return {"mediaType": media_type, "digest": digest(data), "size": len(data)}


def artifact(name: str, layer: bytes = CONFIG, **more: Any) -> bytes:
    """A small artifact; `name` makes it one of its own."""
    config, layers = descriptor(CONFIG, EMPTY), [descriptor(layer, "application/octet-stream")]
    value = {"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": KIND, "config": config, "layers": layers}
    return json.dumps({**value, "annotations": {"name": name}, **more}).encode()


def package(number: int) -> bytes:
    """A package of the main repository; the first one is the subject of every referrer."""
    return artifact(f"package {number}")


def referrer(number: int | str) -> bytes:
    """A referrer of the first package."""
    return artifact(f"referrer {number}", subject=descriptor(package(0), MANIFEST))


def index(shape: Shape) -> bytes:
    """The index that lists all members."""
    members = [descriptor(member(number), MANIFEST) for number in range(shape.members)]
    return json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": members}).encode()


def member(number: int) -> bytes:
    """A package that an index lists, so that lists of packages leave it out."""
    return artifact(f"member {number}")


def tag(number: int) -> str:
    """Tags in byte order."""
    return f"t{number:06}"


def repository(number: int) -> str:
    """Repositories in byte order, behind the two that hold packages."""
    return f"many/r{number:06}"


async def fill(data: Path, shape: Shape) -> None:
    """Fill a new store: repositories, packages with their tags, referrers, then members and the index."""
    registry = open_registry(Config(data=str(data), unsafe_no_sync=True), create=True)
    try:
        for name in (MAIN, LISTED):
            await registry.push_blob(ANONYMOUS, name, one_chunk(CONFIG), Digest.parse(digest(CONFIG)))
        await _each(range(shape.repositories), lambda number: _mount(registry, number))
        await _each(range(shape.packages), lambda number: _push_package(registry, shape, number))
        await _each(range(shape.referrers), lambda number: _push(registry, MAIN, referrer(number)))
        await _each(range(shape.members), lambda number: _push(registry, LISTED, member(number)))
        await _push(registry, LISTED, index(shape), (TagName("index"),))
    finally:
        await registry.close()


async def _mount(registry: Registry, number: int) -> None:
    await registry.mount_blob(ANONYMOUS, RepositoryName(repository(number)), Digest.parse(digest(CONFIG)), MAIN)


async def _push_package(registry: Registry, shape: Shape, number: int) -> None:
    first = number * TAGS_A_PACKAGE
    names = tuple(TagName(tag(n)) for n in range(first, min(first + TAGS_A_PACKAGE, shape.tags)))
    await _push(registry, MAIN, package(number), names)


async def _push(registry: Registry, name: RepositoryName, body: bytes, tags: tuple[TagName, ...] = ()) -> None:
    await registry.push_manifest(ANONYMOUS, name, Digest.parse(digest(body)), body, tags=tags)


async def _each(items: Iterable[T], work: Callable[[T], Awaitable[None]]) -> None:
    """Do the work for each, many at a time."""
    waiting = iter(items)

    async def worker() -> None:
        for item in waiting:
            await work(item)

    await asyncio.gather(*(worker() for _ in range(WRITERS)))
