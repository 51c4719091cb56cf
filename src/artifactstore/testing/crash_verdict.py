"""After a crash: is everything that was acknowledged there, and nothing half there?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from artifactstore.bootstrap import open_database, open_registry, system_clock
from artifactstore.config import Config
from artifactstore.errors import NotFound
from artifactstore.events import replay
from artifactstore.events.views import objects
from artifactstore.identity.actor import ANONYMOUS
from artifactstore.identity.digest import ContentAddress, Digest
from artifactstore.identity.names import RepositoryName, TagName
from artifactstore.registry.registry import Registry
from artifactstore.testing.crash_scenarios import content, manifest_of, sha256

DAYS = 86_400_000_000
Line = dict[str, Any]


@dataclass
class Expected:
    """What the journal says must be, by repository; what was only intended may be or not."""

    blobs: dict[tuple[str, str], bytes] = field(default_factory=dict)
    manifests: dict[tuple[str, str], bytes] = field(default_factory=dict)
    tags: dict[tuple[str, str], set[str | None]] = field(default_factory=dict)
    absent: set[tuple[str, str]] = field(default_factory=set)
    uploads: dict[str, int] = field(default_factory=dict)
    doubted: set[tuple[str, str]] = field(default_factory=set)

    def uncertain(self, line: Line) -> None:
        """An intention: what it touches is not certain until it is acknowledged."""
        repository, name = line["repository"], line.get("name", "")
        match line["verb"]:
            case "manifest" | "move":
                self.tags.setdefault((repository, line["tag"]), {None}).add(name)
            case "delete-tag":
                self.tags.setdefault((repository, name), {None}).add(None)
            case "delete-manifest":
                self.manifests.pop((repository, name), None)
                for named in self.tags.values():
                    if name in named:
                        named.add(None)
            case "delete-blob":
                self.blobs.pop((repository, name), None)
            case "delete-repository":
                self._doubt(repository)
            case _:
                pass

    def certain(self, line: Line) -> None:
        """An acknowledgement."""
        repository, name = line.get("repository", ""), line.get("name", "")
        match line["verb"]:
            case "blob":
                self.blobs[repository, name] = content(name, line["size"])
            case "config":
                self.blobs[repository, "{}"] = b"{}"
            case "manifest":
                self.manifests[repository, name] = manifest_of(name)
                self.tags[repository, line["tag"]] = {name}
            case "move":
                self.tags[repository, line["tag"]] = {name}
            case "delete-tag":
                self.tags[repository, name] = {None}
            case "delete-manifest":
                self.absent.add((repository, name))
                self.tags = {tag: names if names != {name} else {None} for tag, names in self.tags.items()}
            case "delete-repository":
                self.absent |= {key for key in self.doubted if key[0] == repository}
                self.tags |= {key: {None} for key in self.tags if key[0] == repository}
            case "part":
                self.uploads[line["upload"]] = line["offset"]

    def _doubt(self, repository: str) -> None:
        """All of a repository may be gone, or none of it."""
        self.doubted |= {key for key in self.manifests if key[0] == repository}
        for held in (self.blobs, self.manifests):
            for key in [key for key in held if key[0] == repository]:
                del held[key]
        for key, names in self.tags.items():
            if key[0] == repository:
                names.add(None)


def expected_of(journal: Sequence[Line]) -> Expected:
    """Read a journal from its first line on."""
    expected = Expected()
    for line in journal:
        (expected.certain if line["kind"] == "ack" else expected.uncertain)(line)
    return expected


async def judge(config: Config, journal: Sequence[Line]) -> list[str]:
    """Open the store again and name everything that is not as it must be (empty: all is well)."""
    registry = open_registry(config)
    try:
        wrong = [fault async for fault in _wrong(registry, expected_of(journal))]
    finally:
        await registry.close()
    wrong += replay.check(open_database(config)).differences
    return wrong + await _after_sweep(config)


async def _wrong(registry: Registry, expected: Expected) -> Any:
    for (repository, name), data in expected.blobs.items():
        if await _read(registry.resolve_blob, registry, repository, sha256(data)) != data:
            yield f"the acknowledged blob {name} of {repository} does not read back"
    for (repository, name), data in expected.manifests.items():
        if await _read(registry.resolve, registry, repository, sha256(data)) != data:
            yield f"the acknowledged manifest {name} of {repository} does not read back"
    for repository, name in expected.absent:
        if await _read(registry.resolve, registry, repository, sha256(manifest_of(name))) is not None:
            yield f"the deleted manifest {name} of {repository} is there"
    for (repository, tag), names in expected.tags.items():
        found = await _read(registry.resolve, registry, repository, TagName(tag))
        if found not in [None if name is None else manifest_of(name) for name in names]:
            yield f"the tag {tag} of {repository} names neither of {names}"
    async for fault in _half_visible(registry):
        yield fault
    async for fault in _lost_parts(registry, expected):
        yield fault


async def _read(
    resolve: Callable[..., Any], registry: Registry, repository: str, reference: Digest | TagName
) -> bytes | None:
    try:
        return await registry.get_bytes(await resolve(ANONYMOUS, RepositoryName(repository), reference))
    except NotFound:
        return None


async def _half_visible(registry: Registry) -> Any:
    """Every object that a fact names is whole, and every package has its native side and its files."""
    for row in await registry.reader.all(objects.LOCATIONS, after="", limit=10_000):
        address = ContentAddress.parse(row.content_address)
        known = await registry.reader.all(objects.DIGESTS_OF, address=row.content_address)
        digests = {text.partition(":")[0]: Digest.parse(text) for text in known}
        verified = await registry.plane.verify_object(address, digests, row.size)
        if not verified.present or verified.mismatches:
            yield f"a fact names the object {address}, which is not sound: {verified.mismatches}"
    for package in await registry.packages(ANONYMOUS, members=True, attachments=True, limit=1000):
        if not package.row.manifest_digest:
            yield f"the package {package.row.digest} is stored and not finalized"
            continue
        name = RepositoryName(package.row.repository)
        for file in await registry.files(ANONYMOUS, name, Digest.parse(package.row.digest), limit=100):
            if not file.present:
                yield f"the package {package.row.digest} lacks its file {file.row.position}"


async def _lost_parts(registry: Registry, expected: Expected) -> Any:
    """An upload that is still open has every part that was acknowledged."""
    for upload_id, offset in expected.uploads.items():
        try:
            status = await registry.upload_status(ANONYMOUS, RepositoryName("crash/main"), upload_id)
        except NotFound:
            continue
        if status.offset < offset:
            yield f"the upload {upload_id} stands at {status.offset}, {offset} bytes were acknowledged"


async def _after_sweep(config: Config) -> list[str]:
    """A week later a sweep leaves what facts name, all of it, and nothing else."""
    registry = open_registry(config, clock=lambda: system_clock() + 7 * DAYS)
    try:
        await registry.sweep()
        named = {row.content_address for row in await registry.reader.all(objects.LOCATIONS, after="", limit=10_000)}
        there = {str(listed.target) async for listed in registry.plane.list_objects()}
        staged = [listed async for listed in registry.plane.list_uploads()]
    finally:
        await registry.close()
    return list(_sweep_faults(named, there, len(staged)))


def _sweep_faults(named: set[str], there: set[str], staged: int) -> Iterator[str]:
    if named - there:
        yield f"the sweep took {len(named - there)} objects that facts name"
    if there - named:
        yield f"the sweep left {len(there - named)} objects that no fact names"
    if staged:
        yield f"the sweep left {staged} staged files"
