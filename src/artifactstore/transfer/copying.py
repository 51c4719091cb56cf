"""The engine: what a manifest names first, then the manifest, then what refers to it, and its tag last."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import aclosing, contextmanager, suppress
from dataclasses import replace
from itertools import chain
from typing import Any, TypeVar

from artifactstore.errors import (
    BlobUnknown,
    DigestInvalid,
    ManifestInvalid,
    ManifestUnknown,
    NotFound,
    ParameterInvalid,
    SizeInvalid,
)
from artifactstore.identity.digest import Digest
from artifactstore.identity.names import TagName
from artifactstore.manifest import oci
from artifactstore.manifest.media_types import IMAGES, INDEXES, REFUSED
from artifactstore.manifest.referrer_tags import attachment_tags
from artifactstore.transfer.agreement import require_same_package
from artifactstore.transfer.report import Amounts, Copied, Report, Root
from artifactstore.transfer.spi import Chunks, Content, Manifest, Source, Target

JOBS = 4
"""So many transfers at a time."""
MANIFESTS = IMAGES | INDEXES | REFUSED
UNTOLD_SIZE_MAX = 4 << 20
"""What an index lists under a type that nobody knows is read as a manifest up to this size."""
T = TypeVar("T")


async def copy(
    source: Source,
    target: Target,
    roots: Iterable[Root],
    *,
    referrers: bool = False,
    jobs: int = JOBS,
    on_progress: Callable[[Amounts], None] | None = None,
) -> Report:
    """Copy `roots` with everything that they need, and what refers to any of it where `referrers` says so.

    What is there already is not carried again, so that an interrupted copy goes on where it was. No tag is set before
    its manifest, what that needs and what refers to it are there; the first failure ends the copy.
    Raises ManifestUnknown and BlobUnknown for what the source lacks, DigestInvalid, SizeInvalid and ManifestInvalid for
    what is not what it should be, BackendUnavailable, and whatever the target refuses with.
    """
    if jobs < 1:
        raise ParameterInvalid("a copy needs one job at least")
    work = _Copy(source, target, referrers, jobs, on_progress or (lambda amounts: None))
    try:
        async with asyncio.TaskGroup() as group:
            work.group = group
            for root in roots:
                group.create_task(work.root(root))
    except BaseExceptionGroup as failed:
        raise _first(failed) from None
    work.report.roots.sort(key=lambda copied: (copied.tag or "", copied.content.digest))
    work.report.tags.sort()
    return work.report


async def roots_of(source: Source) -> list[Root]:
    """Every tag of a repository, each under its own name."""
    return [Root(tag, tag) async for tag in source.tags()]


class _Copy:
    """One copy under way. Each piece of content is a task of its own, made once; `slots` bound what they do at once."""

    group: asyncio.TaskGroup

    def __init__(
        self, source: Source, target: Target, referrers: bool, jobs: int, on_progress: Callable[[Amounts], None]
    ) -> None:
        self.source = source
        self.target = target
        self.report = Report()
        self._with_referrers = referrers
        self._on_progress = on_progress
        self._amounts = Amounts()
        self._graphs = asyncio.Semaphore(jobs)
        self._slots = asyncio.Semaphore(jobs)
        self._manifests: dict[Digest, asyncio.Task[Manifest]] = {}
        self._blobs: dict[tuple[Digest, bool], asyncio.Task[None]] = {}
        self._asked: set[Digest] = set()
        self._tagged: set[TagName] = set()

    async def root(self, root: Root) -> None:
        """One root, from the bottom of its graph to its tag."""
        async with self._graphs:
            content = await self._one(self.source.resolve(root.reference))
            manifest = await self._manifest(content)
            if self._with_referrers:
                await self._attached(content)
            if root.tag is not None:
                await self._tag(root.tag, content)
            self.report.roots.append(Copied(manifest.content, root.tag))

    async def _attached(self, content: Content) -> None:
        """Everything that refers to a manifest here or to one of its members, and what refers to that, and so on.

        Referrers may go round in circles (a tag can attach anything to anything), so each manifest is asked for once.
        """
        if content.digest in self._asked:
            return
        self._asked.add(content.digest)
        manifest = await self._manifest(content)
        by_tag = await self._attached_by_tag(content)
        attached = [*await self._one(self._referrers(content)), *by_tag.values()]
        self.report.referrers += len({item.digest for item in attached} - self._manifests.keys())
        await self._all(self._manifest(item) for item in attached)
        await self._all(self._tag(name, item) for name, item in by_tag.items())
        members = [_content(item) for item in manifest.says.members if item.media_type in MANIFESTS]
        await self._all(self._attached(item) for item in (*attached, *members))

    async def _referrers(self, content: Content) -> list[Content]:
        return [found async for found in self.source.referrers(content.digest)]

    async def _attached_by_tag(self, content: Content) -> dict[TagName, Content]:
        """What cosign attached to a manifest, with the tags that say so."""
        found = {}
        for name in map(TagName, attachment_tags(str(content.digest))):
            with suppress(NotFound):
                found[name] = await self._one(self.source.resolve(name))
        return found

    async def _tag(self, name: TagName, content: Content) -> None:
        """Set a tag, once: what attaches a manifest may also be asked for by name."""
        if name not in self._tagged:
            self._tagged.add(name)
            await self._one(self.target.tag(name, await self._manifest(content)))
            self.report.tags.append(name)

    async def _manifest(self, content: Content) -> Manifest:
        """A manifest with everything below it; who asks for the same one waits for the same task."""
        task = self._manifests.get(content.digest)
        if task is None:
            self._found(0)
            task = self._manifests[content.digest] = self.group.create_task(self._copy_manifest(content))
        return await task

    async def _copy_manifest(self, content: Content) -> Manifest:
        manifest = await self._one(self._read_manifest(content))
        if await self._one(self.target.has_manifest(manifest)):
            self.report.manifests_skipped += 1
        else:
            with _located(self.source, content):
                blobs, members = _children(manifest.says)
            await self._all(
                chain(
                    (self._blob(blob, required) for blob, required in blobs), (self._member(each) for each in members)
                )
            )
            await self._one(self.target.push_manifest(manifest))
            self.report.manifests_copied += 1
        if manifest.native is not None:
            derived = await self._one(self.target.native(manifest.content))
            require_same_package(manifest.native, derived, self.source.where(content))
        self._done(0)
        return replace(manifest, native=None)  # compared, and of no more use; the rest is kept for tags and referrers

    async def _read_manifest(self, content: Content) -> Manifest:
        with _located(self.source, content):
            return await self.source.manifest(content)

    async def _member(self, content: Content) -> None:
        """A manifest, or, in the index that BuildKit keeps its cache in, a layer."""
        if content.media_type in MANIFESTS or await self._is_manifest(content):
            await self._manifest(content)
        else:
            await self._blob(content, True)

    async def _is_manifest(self, content: Content) -> bool:
        """Whether content of a type that nobody knows is one: the source has it as such, and it reads as one."""
        if content.size > UNTOLD_SIZE_MAX:
            return False
        try:
            await self._one(self.source.manifest(content))
        except (ManifestUnknown, ManifestInvalid):
            return False
        return True

    async def _blob(self, content: Content, required: bool) -> None:
        task = self._blobs.get((content.digest, required))
        if task is None:
            self._found(content.size)
            task = self.group.create_task(self._copy_blob(content, required))
            self._blobs[content.digest, required] = task
        await task

    async def _copy_blob(self, content: Content, required: bool) -> None:
        async with self._slots:
            if await self.target.has_blob(content):
                self.report.blobs_skipped += 1
                left = content.size
            elif await self.target.mount(content, self._mountable()):
                self.report.blobs_mounted += 1
                left = content.size
            else:
                left = await self._carry(content, required)
        self._done(left)

    async def _carry(self, content: Content, required: bool) -> int:
        """Bring the bytes of a blob, if it is to be had or required; how many did not come is the answer."""
        came, counting = 0, True

        def now_at(offset: int) -> None:
            nonlocal came
            if counting:  # a target may read the blob later once more, when its own turn to write has come
                self._amounts.bytes_done += offset - came
                came = offset
                self._on_progress(self._amounts)

        async def chunks(offset: int) -> Chunks:
            now_at(offset)
            async with aclosing(self.source.blob(content, offset)) as source:
                async for chunk in source:
                    yield chunk
                    offset += len(chunk)
                    now_at(offset)

        try:
            with _located(self.source, content):
                await self.target.push_blob(content, chunks)
        except BlobUnknown:
            if required:
                raise
        else:
            self.report.blobs_copied += 1
            self.report.bytes_copied += content.size
        counting = False
        return content.size - came

    def _mountable(self) -> str | None:
        """The repository that the target may mount from by name."""
        return self.source.repository if self.source.place == self.target.place else None

    async def _one(self, doing: Coroutine[Any, Any, T]) -> T:
        """One request to either side, when its turn has come."""
        async with self._slots:
            return await doing

    async def _all(self, doing: Iterable[Coroutine[Any, Any, object]]) -> None:
        """All of them side by side, in the one group, so that the first failure ends every one."""
        for task in [self.group.create_task(each) for each in doing]:
            await task

    def _found(self, size: int) -> None:
        self._amounts.items_total += 1
        self._amounts.bytes_total += size
        self._on_progress(self._amounts)

    def _done(self, size: int) -> None:
        self._amounts.items_done += 1
        self._amounts.bytes_done += size
        self._on_progress(self._amounts)


@contextmanager
def _located(source: Source, content: Content) -> Iterator[None]:
    """What is wrong with content is said with the place where it lies."""
    try:
        yield
    except (DigestInvalid, SizeInvalid, ManifestInvalid) as error:
        raise type(error)(f"{source.where(content)}: {error.message}", detail=error.detail) from error


def _children(says: oci.OciManifest) -> tuple[list[tuple[Content, bool]], list[Content]]:
    """The blobs that a manifest names, each with whether it needs it, and its members. Raises DigestInvalid.

    Its subject is none of them: it may be anywhere, and may come later.
    """
    needed = {item.digest for item in oci.required_blobs(says)}
    held = ((says.config,) if says.config else ()) + says.layers
    return [(_content(item), item.digest in needed) for item in held], [_content(item) for item in says.members]


def _content(item: oci.Descriptor) -> Content:
    """What a descriptor names. Raises DigestInvalid for an algorithm that is not supported."""
    return Content(Digest.parse(item.digest), item.size, item.media_type)


def _first(failed: BaseExceptionGroup[BaseException]) -> BaseException:
    """The failure that ended the others."""
    inner = failed.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner
