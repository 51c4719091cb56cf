"""A layout that is read: every file of it is looked at as if a stranger had written it."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

from artifactstore.errors import (
    ArtifactStoreError,
    BlobUnknown,
    DigestInvalid,
    ManifestInvalid,
    ManifestUnknown,
    ParameterInvalid,
    SizeInvalid,
)
from artifactstore.identity.digest import Digest, digest_bytes
from artifactstore.identity.names import RepositoryName, TagName
from artifactstore.manifest.media_types import IMAGES, INDEXES
from artifactstore.transfer.layout import (
    INDEX,
    INDEX_SIZE_MAX,
    MANIFEST_SIZE_MAX,
    MARK,
    MARK_SIZE_MAX,
    Entry,
    LayoutIndex,
    blob_path,
)
from artifactstore.transfer.report import Root
from artifactstore.transfer.spi import Chunks, Content, Manifest, Reference

_ATTACHES = re.compile(r"sha(256|512)-[0-9a-f]{64}")
"""Tags that attach something to what else is in the layout."""


class LayoutFiles(Protocol):
    """The files of a layout by their paths in it, whatever they lie in. `name` says what that is."""

    name: str

    def size(self, path: str) -> int | None:
        """A regular file's size in bytes; None when there is no such file."""
        ...

    def chunks(self, path: str, offset: int = 0) -> Chunks:
        """A file's bytes from an offset on. Raises BackendUnavailable when it cannot be read."""
        ...

    async def close(self) -> None:
        """Let go of everything. Idempotent."""
        ...


class Layout:
    """An OCI layout: what its index says, and each of its repositories as a source."""

    def __init__(self, files: LayoutFiles, index: LayoutIndex) -> None:
        self.files = files
        self.index = index

    @classmethod
    async def read(cls, files: LayoutFiles) -> Layout:
        """Raises ManifestInvalid for what is no layout, or not one of a version that is known."""
        if files.size(INDEX) is None or files.size(MARK) is None:
            raise ManifestInvalid(f"{files.name} is not an OCI image layout: {_what_else(files)}")
        try:
            mark = json.loads(await read_file(files, MARK, MARK_SIZE_MAX))
            version = mark.get("imageLayoutVersion") if isinstance(mark, dict) else None
        except (ValueError, RecursionError):
            version = None
        if not isinstance(version, str) or not version.startswith("1."):
            raise ManifestInvalid(f"{files.name}: {MARK} tells no version of image layouts that is known")
        body = await read_file(files, INDEX, INDEX_SIZE_MAX)
        try:
            return cls(files, LayoutIndex.parse(body))
        except (ManifestInvalid, DigestInvalid) as error:
            raise type(error)(f"{files.name}: {INDEX}: {error.message}", detail=error.detail) from error

    async def parts(self, into: RepositoryName | None, tag: TagName | None) -> list[Part]:
        """What to copy where: everything, each entry to its own repository or all to one; with `tag` one manifest.

        Raises ParameterInvalid when that is not told, ManifestInvalid when one tag would name two manifests.
        """
        if into is not None and tag is not None:
            chosen = await self._chosen(tag)
            source = LayoutSource(self, tuple(e for e in self.index.entries if e.repository == chosen.repository))
            return [Part(into, source, [Root(chosen.content.digest, tag)])]
        found: dict[RepositoryName, list[Entry]] = defaultdict(list)
        for entry in self.index.entries:
            repository = into or entry.repository
            if repository is None:
                raise ParameterInvalid(f"{self.files.name} does not tell of which repository it is: name one")
            found[repository].append(entry)
        return [Part(name, LayoutSource(self, tuple(entries)), self._roots(entries)) for name, entries in found.items()]

    def _roots(self, entries: list[Entry]) -> list[Root]:
        named = {(entry.tag, entry.content.digest) for entry in entries if entry.tag}
        twice = [tag for tag, count in Counter(tag for tag, _ in named).items() if count > 1]
        if twice:
            raise ManifestInvalid(f"{self.files.name} names several manifests {twice[0]}", detail={"tags": twice})
        return [Root(entry.content.digest, entry.tag) for entry in entries]

    async def _chosen(self, tag: TagName) -> Entry:
        """The entry that has a tag, or else the only one that is meant to be asked for. Raises ParameterInvalid."""
        entries = self.index.entries
        source = LayoutSource(self, entries)
        fitting = [entry for entry in entries if entry.tag == tag]
        fitting = fitting or [entry for entry in entries if entry.tag and not _ATTACHES.match(entry.tag)]
        fitting = fitting or [e for e in entries if (await source.manifest(e.content)).says.subject is None]
        if len({entry.content.digest for entry in fitting}) != 1:
            names = [entry.tag or str(entry.content.digest) for entry in fitting]
            raise ParameterInvalid(f"{self.files.name} holds {len(names)} that could be meant", detail={"names": names})
        return fitting[0]

    async def __aenter__(self) -> Layout:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.files.close()


@dataclass(frozen=True, slots=True)
class Part:
    """What of a layout goes to one repository."""

    repository: RepositoryName
    source: LayoutSource
    roots: list[Root]


class LayoutSource:
    """What a layout holds of one repository; `entries` are those of it."""

    def __init__(self, layout: Layout, entries: tuple[Entry, ...]) -> None:
        self._layout = layout
        self._files = layout.files
        self._entries = entries
        self._told = [*dict.fromkeys(entry.repository for entry in entries if entry.repository), None]
        self._inverse: dict[str, list[Content]] | None = None
        self._inverting = asyncio.Lock()

    @property
    def place(self) -> object:
        return self._layout

    @property
    def repository(self) -> str:
        return (self._entries[0].repository or "") if self._entries else ""

    def where(self, content: Content) -> str:
        return f"{blob_path(content.digest)} in {self._files.name}"

    async def resolve(self, reference: Reference) -> Content:
        if isinstance(reference, TagName):
            found = {entry.content.digest: entry.content for entry in self._entries if entry.tag == reference}
            if len(found) > 1:
                raise ManifestInvalid(f"{self._files.name} names {len(found)} manifests {reference}")
            if found:
                return next(iter(found.values()))
        else:
            listed = next((entry.content for entry in self._entries if entry.content.digest == reference), None)
            size = self._files.size(blob_path(reference))
            if listed or size is not None:
                return listed or Content(reference, size or 0, "")
        raise ManifestUnknown(f"no such manifest in {self._files.name}", detail={"reference": str(reference)})

    async def manifest(self, content: Content) -> Manifest:
        path = blob_path(content.digest)
        if self._files.size(path) is None:
            missing = f"{path} is missing in {self._files.name}"
            raise ManifestUnknown(missing, detail={"digest": str(content.digest)})
        body = await read_file(self._files, path, MANIFEST_SIZE_MAX)
        natives = self._layout.index.natives
        native = next((natives[each, content.digest] for each in self._told if (each, content.digest) in natives), None)
        return Manifest.read(content, body, await self._native(native) if native else None)

    async def _native(self, digest: Digest) -> bytes:
        path = blob_path(digest)
        if self._files.size(path) is None:
            raise ManifestUnknown(f"the native manifest {path} is missing in {self._files.name}")
        body = await read_file(self._files, path, MANIFEST_SIZE_MAX)
        if digest_bytes(digest.algorithm, body) != digest:
            raise DigestInvalid(f"the native manifest {path} does not have that digest", detail={"digest": str(digest)})
        return body

    async def blob(self, content: Content, offset: int = 0) -> Chunks:
        path = blob_path(content.digest)
        size = self._files.size(path)
        if size is None:
            raise BlobUnknown(f"{path} is missing in {self._files.name}", detail={"digest": str(content.digest)})
        if size != content.size:
            raise SizeInvalid(f"has {size} bytes, not {content.size}", detail={"digest": str(content.digest)})
        async with aclosing(self._files.chunks(path, offset)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def tags(self) -> AsyncIterator[TagName]:
        for tag in sorted({entry.tag for entry in self._entries if entry.tag}):
            yield tag

    async def referrers(self, digest: Digest) -> AsyncIterator[Content]:
        async with self._inverting:
            if self._inverse is None:
                self._inverse = await self._by_subject()
        for content in self._inverse.get(str(digest), []):
            yield content

    async def _by_subject(self) -> dict[str, list[Content]]:
        """Subject -> manifests that name it, of all that can be reached from the index; what cannot be read is not."""
        found: dict[str, list[Content]] = defaultdict(list)
        todo = [entry.content for entry in self._entries]
        seen: set[Digest] = set()
        while todo:
            content = todo.pop()
            if content.digest in seen or content.media_type not in IMAGES | INDEXES:
                continue
            seen.add(content.digest)
            try:
                says = (await self.manifest(content)).says
                below = [Content.of(item) for item in says.members]
            except ArtifactStoreError:
                continue
            todo += below
            if says.subject is not None:
                found[says.subject.digest].append(content)
                todo.append(Content.of(says.subject))
        return {subject: sorted(contents, key=lambda item: item.digest) for subject, contents in found.items()}


async def read_file(files: LayoutFiles, path: str, size_max: int) -> bytes:
    """A small file as a whole. Raises SizeInvalid for one that is not small, BackendUnavailable."""
    if (files.size(path) or 0) > size_max:
        raise SizeInvalid(f"{path} in {files.name} has more than {size_max} bytes")
    async with aclosing(files.chunks(path)) as chunks:
        return b"".join([chunk async for chunk in chunks])


def _what_else(files: LayoutFiles) -> str:
    if files.size("manifest.json") is not None:
        return (
            "it is a Docker archive, as `docker save` writes it. `skopeo copy docker-archive:FILE oci-archive:FILE` "
            "makes a layout of it"
        )
    missing = [name for name in (MARK, INDEX) if files.size(name) is None]
    return f"it has no {' and no '.join(missing)}, or ends before"
