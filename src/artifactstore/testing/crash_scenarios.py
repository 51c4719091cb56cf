"""What is going on in a store when it crashes: six main jobs, each under concurrent load, and what each was told.

A `Journal` notes every intention before it is tried and every acknowledgement after it; it outlives the process, being
written to a file descriptor that another one reads. All content follows from names, so that the reader can tell what
every byte should be.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass

from artifactstore.errors import BackendUnavailable
from artifactstore.identity.actor import ANONYMOUS
from artifactstore.identity.digest import Digest, digest_bytes
from artifactstore.identity.names import RepositoryName, TagName
from artifactstore.registry.registry import Registry

IMAGE = "application/vnd.oci.image.manifest.v1+json"
REPOSITORY = RepositoryName("crash/main")
GOING = RepositoryName("crash/going")
LARGE = 1_500_000
"""Bytes: more than one batch of the data plane."""


def content(name: str, size: int = 700) -> bytes:
    """The bytes that belong to a name."""
    seed = name.encode() + b" "
    return (seed * (size // len(seed) + 1))[:size]


def manifest_of(name: str) -> bytes:
    """The image manifest of a name, with one layer that is the content of that name."""
    layer, config = content(name), b"{}"
    value = {
        "schemaVersion": 2,
        "mediaType": IMAGE,
        "config": _descriptor(config, "application/vnd.oci.empty.v1+json"),
        "layers": [_descriptor(layer, "application/octet-stream")],
        "annotations": {"name": name},
    }
    return json.dumps(value).encode()


def sha256(data: bytes) -> Digest:
    """The digest that most clients use."""
    return digest_bytes("sha256", data)


def _descriptor(data: bytes, media_type: str) -> dict[str, object]:
    return {"mediaType": media_type, "digest": str(sha256(data)), "size": len(data)}


async def _source(data: bytes, step: int = 300_000) -> AsyncIterator[bytes]:
    for start in range(0, len(data), step):
        yield data[start : start + step]


@dataclass(frozen=True, slots=True)
class Journal:
    """Notes on a file descriptor: one JSON line each, written at once."""

    descriptor: int

    def note(self, kind: str, verb: str, **what: object) -> None:
        """Write a line; `kind` is `intent` or `ack`."""
        line = json.dumps({"kind": kind, "verb": verb, **what}) + "\n"
        os.write(self.descriptor, line.encode())


class Actor:
    """Does things to the store and keeps the journal. An operation that the store failed is tried once more."""

    def __init__(self, registry: Registry, journal: Journal, repository: RepositoryName = REPOSITORY) -> None:
        self.registry = registry
        self.journal = journal
        self.repository = repository

    async def blob(self, name: str, size: int = 700) -> None:
        """Push a blob in one request."""
        data = content(name, size)

        async def push() -> None:
            await self.registry.push_blob(ANONYMOUS, self.repository, _source(data), sha256(data))

        await self._do("blob", push, name=name, size=size)

    async def config(self) -> None:
        """Push the config that all manifests share: a dedup hit but for the first time."""

        async def push() -> None:
            await self.registry.push_blob(ANONYMOUS, self.repository, _source(b"{}"), sha256(b"{}"))

        await self._do("config", push)

    async def chunked(self, name: str) -> None:
        """Push a blob in three parts."""
        data = content(name, LARGE)

        async def push() -> None:
            status = await self.registry.open_upload(ANONYMOUS, self.repository)
            for start, end in ((0, 600_000), (600_000, 1_200_000)):
                part = _source(data[start:end])
                where = {"offset": start, "length": end - start}
                await self.registry.append_upload(ANONYMOUS, self.repository, status.upload_id, part, **where)
                self.journal.note("ack", "part", upload=status.upload_id, offset=end, blob=name)
            rest = _source(data[1_200_000:])
            await self.registry.close_upload(ANONYMOUS, self.repository, status.upload_id, rest, sha256(data))

        await self._do("blob", push, name=name, size=LARGE)

    async def manifest(self, name: str, tag: str) -> None:
        """Push a manifest and what it names, under a tag."""
        await self.config()
        await self.blob(name)

        async def push() -> None:
            body = manifest_of(name)
            await self.registry.push_manifest(ANONYMOUS, self.repository, TagName(tag), body, media_type=IMAGE)

        await self._do("manifest", push, name=name, tag=tag)

    async def move(self, tag: str, name: str) -> None:
        """Let a tag name another manifest."""

        async def move() -> None:
            await self.registry.tag(ANONYMOUS, self.repository, TagName(tag), sha256(manifest_of(name)))

        await self._do("move", move, tag=tag, name=name)

    async def delete(self, what: str, name: str) -> None:
        """Delete a `tag`, a `manifest` or a `blob` by the name of its content."""
        calls: Mapping[str, Callable[[], Awaitable[None]]] = {
            "tag": lambda: self.registry.delete_tag(ANONYMOUS, self.repository, TagName(name)),
            "manifest": lambda: self.registry.delete_manifest(ANONYMOUS, self.repository, sha256(manifest_of(name))),
            "blob": lambda: self.registry.delete_blob(ANONYMOUS, self.repository, sha256(content(name))),
        }
        await self._do(f"delete-{what}", calls[what], name=name)

    async def delete_repository(self) -> None:
        """Delete the repository with all that it holds, an open upload too."""

        async def delete() -> None:
            await self.registry.open_upload(ANONYMOUS, self.repository)
            await self.registry.delete_repository(ANONYMOUS, self.repository)

        await self._do("delete-repository", delete)

    async def _do(self, verb: str, call: Callable[[], Awaitable[None]], **what: object) -> None:
        self.journal.note("intent", verb, repository=self.repository, **what)
        try:
            await call()
        except BackendUnavailable:
            if not await self._again(verb, call):
                return
        self.journal.note("ack", verb, repository=self.repository, **what)

    async def _again(self, verb: str, call: Callable[[], Awaitable[None]]) -> bool:
        """Try once more. A deletion that was done, though its answer was lost, finds nothing now."""
        try:
            await call()
        except Exception as error:
            if verb.startswith("delete-") and getattr(error, "code", "").endswith("_UNKNOWN"):
                return True
            raise
        return True


async def load(registry: Registry, journal: Journal) -> None:
    """What others do at the same time: pushes of their own, of the same content, and tags that move."""
    actor = Actor(registry, journal, RepositoryName("crash/load"))
    await actor.manifest("shared", "latest")
    await actor.manifest("load", "latest")


async def push_blob(actor: Actor) -> None:
    """A small blob that others push too, and one of several batches."""
    await actor.blob("shared")
    await actor.blob("large", LARGE)


async def push_chunked(actor: Actor) -> None:
    """A blob in three requests."""
    await actor.chunked("chunked")


async def push_manifest(actor: Actor) -> None:
    """A manifest, and another under the same tag."""
    await actor.manifest("first", "v1")
    await actor.manifest("second", "v1")


async def move_tag(actor: Actor) -> None:
    """A tag that is set and then moved."""
    await actor.move("moving", "kept")
    await actor.move("moving", "doomed")


async def delete(actor: Actor) -> None:
    """A tag, a blob and a manifest that has had the tag."""
    await actor.delete("tag", "loose")
    await actor.delete("blob", "unlinked")
    await actor.delete("manifest", "doomed")


async def delete_repository(actor: Actor) -> None:
    """A repository that shares its blobs with others."""
    await Actor(actor.registry, actor.journal, GOING).delete_repository()


SCENARIOS: Mapping[str, Callable[[Actor], Awaitable[None]]] = {
    "blob push": push_blob,
    "chunked push": push_chunked,
    "manifest push": push_manifest,
    "tag move": move_tag,
    "delete": delete,
    "delete repository": delete_repository,
}


async def prepare(registry: Registry, journal: Journal) -> None:
    """What is there before every scenario."""
    actor = Actor(registry, journal)
    await actor.manifest("kept", "stable")
    await actor.manifest("doomed", "loose")
    await actor.blob("unlinked")
    await Actor(registry, journal, GOING).manifest("kept", "stable")


async def play(name: str, registry: Registry, journal: Journal) -> None:
    """One scenario beside the load."""
    await asyncio.gather(SCENARIOS[name](Actor(registry, journal)), load(registry, journal))
