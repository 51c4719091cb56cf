"""The engine: what a manifest names first, then the manifest, then what refers to it, and all tags last."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from itertools import chain
from typing import Any, TypeVar

from artifactstore.errors import (
    ManifestInvalid,
    ManifestUnknown,
    NotFound,
    ParameterInvalid,
    SizeExceeded,
)
from artifactstore.identity.digest import Digest
from artifactstore.identity.names import TagName
from artifactstore.manifest.referrer_tags import attachment_tags
from artifactstore.transfer.agreement import require_same_package
from artifactstore.transfer.carrying import Carrier, located
from artifactstore.transfer.graph import MANIFESTS, Bodies, Known, children
from artifactstore.transfer.report import Amounts, Copied, Progress, Report, Root
from artifactstore.transfer.spi import Content, Manifest, Source, Target

JOBS = 4
"""So many transfers at a time."""
UNTOLD_SIZE_MAX = 4 << 20
"""What an index lists under a type that nobody knows is read as a manifest up to this size."""
REFERRERS_MAX = 100_000
"""So many are listed in one copy. A source can make up a new one for each that it is asked about."""
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

    What is there already is not carried again, so that an interrupted copy goes on where it was. Tags are set when all
    else is there, first those that attach something, then those that were asked for; the first failure ends the copy.
    Raises ManifestUnknown and BlobUnknown for what the source lacks, DigestInvalid, SizeInvalid and ManifestInvalid for
    what is not what it should be, SizeExceeded for referrers without end, BackendUnavailable, and whatever the target
    refuses with.
    """
    if jobs < 1:
        raise ParameterInvalid("a copy needs one job at least")
    work = _Copy(source, target, referrers, jobs, on_progress or (lambda amounts: None))
    try:
        await work.side_by_side(work.root(root) for root in roots)
        await work.side_by_side(work.tag(*each) for each in work.attached.items() if each[0] not in work.asked)
        await work.side_by_side(work.tag(*each) for each in work.asked.items())
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
        self.asked: dict[TagName, Content] = {}
        self.attached: dict[TagName, Content] = {}
        self._with_referrers = referrers
        self._progress = Progress(on_progress)
        self._carrier = Carrier(source, target, self.report, self._progress)
        self._graphs = asyncio.Semaphore(jobs)
        self._slots = asyncio.Semaphore(jobs)
        self._manifests: dict[Digest, asyncio.Task[Known]] = {}
        self._blobs: dict[tuple[Digest, bool], asyncio.Task[None]] = {}
        self._visited: set[Digest] = set()
        self._listed = 0
        self._bodies = Bodies()

    async def side_by_side(self, doing: Iterable[Coroutine[Any, Any, None]]) -> None:
        """All of them in a group of their own, which the first failure ends."""
        async with asyncio.TaskGroup() as self.group:
            for each in doing:
                self.group.create_task(each)

    async def root(self, root: Root) -> None:
        """One root with everything below it, and all that refers to any of it."""
        async with self._graphs:
            content = await self._one(self.source.resolve(root.reference))
            if root.tag is not None:
                self._bodies.wanted.add(content.digest)
            known = await self._manifest(content)
            if root.tag is not None:
                self.asked[root.tag] = known.content
            if self._with_referrers:
                await self._around(content)
            self.report.roots.append(Copied(known.content, root.tag))

    async def tag(self, name: TagName, content: Content) -> None:
        """Set a tag."""
        body = self._bodies.kept.get(content.digest)
        manifest = await self._one(self._read_manifest(content)) if body is None else Manifest.read(content, body)
        await self._one(self.target.tag(name, manifest))
        self.report.tags.append(name)

    async def _around(self, content: Content) -> None:
        """Everything that refers to a manifest here or to one of its members, and what refers to that, and so on.

        Referrers may go round in circles (a tag can attach anything to anything), so each manifest is asked for once.
        """
        if content.digest in self._visited:
            return
        self._visited.add(content.digest)
        known = await self._manifest(content)
        by_tag = await self._attached_by_tag(content)
        listed = await self._one(self._referrers(content))
        referrers = await self._all(self._referrer(each, known) for each in listed)
        await self._all(self._attachment(each) for each in by_tag.values())
        self.attached |= by_tag
        await self._all(map(self._around, (*filter(None, referrers), *by_tag.values(), *known.members)))

    async def _referrers(self, content: Content) -> list[Content]:
        """What the source lists. Raises SizeExceeded when that does not end."""
        found = []
        async for each in self.source.referrers(content.digest):
            self._listed += 1
            if self._listed > REFERRERS_MAX:
                words = f"{self.source.where(content)}: more than {REFERRERS_MAX} manifests refer to what is copied"
                raise SizeExceeded(f"{words}: copy fewer tags at a time")
            found.append(each)
        return found

    async def _referrer(self, content: Content, subject: Known) -> Content | None:
        """Copy what is listed as a referrer; None when it does not say that it is one of this subject."""
        if content.digest in self._manifests:
            known = await self._manifest(content)
            return content if known.subject in subject.names else None
        manifest = await self._one(self._read_manifest(content))
        if manifest.says.subject is None or manifest.says.subject.digest not in subject.names:
            return None
        await self._attachment(content, manifest)
        return content

    async def _attachment(self, content: Content, manifest: Manifest | None = None) -> None:
        if content.digest not in self._manifests:
            self.report.referrers += 1
        await self._manifest(content, manifest)

    async def _attached_by_tag(self, content: Content) -> dict[TagName, Content]:
        """What cosign attached to a manifest, with the tags that say so."""
        found = {}
        for name in map(TagName, attachment_tags(str(content.digest))):
            with suppress(NotFound):
                found[name] = await self._one(self.source.resolve(name))
                self._bodies.wanted.add(found[name].digest)
        return found

    async def _manifest(self, content: Content, manifest: Manifest | None = None) -> Known:
        """A manifest, which may have been read already, with everything below it; a task for all who ask for it."""
        task = self._manifests.get(content.digest)
        if task is None:
            self._progress.found(0)
            task = self._manifests[content.digest] = self.group.create_task(self._copy_manifest(content, manifest))
        return await _ended(task)

    async def _copy_manifest(self, content: Content, manifest: Manifest | None) -> Known:
        if manifest is None:
            manifest = await self._one(self._read_manifest(content))
        if await self._one(self.target.has_manifest(manifest)):
            self.report.manifests_skipped += 1
        else:
            with located(self.source, content):
                blobs, members = children(manifest.says)
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
        self._progress.done(0)
        self._bodies.offer(manifest)
        return Known.of(manifest, with_names=self._with_referrers)

    async def _read_manifest(self, content: Content) -> Manifest:
        with located(self.source, content):
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
            self._progress.found(content.size)
            task = self.group.create_task(self._bring(content, required))
            self._blobs[content.digest, required] = task
        await _ended(task)

    async def _bring(self, content: Content, required: bool) -> None:
        async with self._slots:
            await self._carrier.bring(content, required)

    async def _one(self, doing: Coroutine[Any, Any, T]) -> T:
        """One request to either side, when its turn has come."""
        try:
            async with self._slots:
                return await doing
        finally:
            doing.close()  # its turn may never have come

    async def _all(self, doing: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
        """All of them side by side, in the one group, so that the first failure ends every one."""
        return [await _ended(task) for task in [self.group.create_task(each) for each in doing]]


async def _ended(task: asyncio.Task[T]) -> T:
    """What a task gives. Not awaited itself: to cancel a long chain of tasks that do would exceed the stack."""
    await asyncio.wait((task,))
    return task.result()


def _first(failed: BaseExceptionGroup[BaseException]) -> BaseException:
    """The failure that ended the others."""
    inner = failed.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner
