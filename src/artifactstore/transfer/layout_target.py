"""A layout that is written: repositories of it as targets, and the index that they make together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from artifactstore.errors import SizeExceeded
from artifactstore.identity.digest import PRIMARY, Digest, digest_bytes
from artifactstore.identity.names import RepositoryName, TagName
from artifactstore.transfer.layout import INDEX_SIZE_MAX, MANIFEST_SIZE_MAX, Entry, LayoutIndex
from artifactstore.transfer.spi import Content, Manifest, Opening


class Keeper(Protocol):
    """What holds the files of a layout while it is written. `name` says what that is."""

    name: str

    async def open(self) -> LayoutIndex:
        """Begin; the index that is there already, to be added to."""
        ...

    async def has(self, content: Content) -> bool:
        """Whether a blob need not be put."""
        ...

    async def put(self, content: Content, opening: Opening) -> None:
        """Take a blob; it is verified at the end at the latest. Raises DigestInvalid, SizeInvalid."""
        ...

    async def put_bytes(self, digest: Digest, body: bytes) -> None:
        """Take a small file that is known to have its digest."""
        ...

    async def finish(self, index: bytes) -> None:
        """Everything is there: write the index, and what else was left for the end."""
        ...

    async def abort(self) -> None:
        """Nothing more comes, and no `finish` either; what is held is let go."""
        ...


@dataclass(frozen=True, slots=True)
class Kept:
    """A manifest that was put, for the index to list unless another manifest lists it."""

    repository: RepositoryName
    content: Content


class LayoutWriter:
    """A layout under way. `finish` makes it one; leave the block before that, and it is not."""

    def __init__(self, keeper: Keeper) -> None:
        self.keeper = keeper
        self._before = LayoutIndex()
        self._kept: set[Kept] = set()
        self._members: set[tuple[RepositoryName, str]] = set()
        self._tagged: dict[tuple[str, str], Entry] = {}
        self._natives: dict[tuple[RepositoryName | None, Digest], Digest] = {}
        self._finished = False

    async def __aenter__(self) -> LayoutWriter:
        self._before = await self.keeper.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        if not self._finished:
            await self.keeper.abort()

    def target(self, repository: RepositoryName) -> LayoutTarget:
        """A repository of the layout, to copy to."""
        return LayoutTarget(self, repository)

    async def add(self, repository: RepositoryName, manifest: Manifest) -> None:
        """Take a manifest, and its native one. Raises SizeExceeded for what would not be read again."""
        content = manifest.content
        if max(len(manifest.body), len(manifest.native or b"")) > MANIFEST_SIZE_MAX:
            raise SizeExceeded(f"{content.digest} has a manifest of more than {MANIFEST_SIZE_MAX} bytes")
        await self.keeper.put_bytes(content.digest, manifest.body)
        self._kept.add(Kept(repository, content))
        self._members.update((repository, member.digest) for member in manifest.says.members)
        if manifest.native is not None:
            native = digest_bytes(PRIMARY, manifest.native)
            await self.keeper.put_bytes(native, manifest.native)
            self._natives[repository, content.digest] = native

    def tag(self, repository: RepositoryName, tag: TagName, content: Content) -> None:
        """Name a manifest; what the tag named before is named no more."""
        self._tagged[repository, tag] = Entry(content, tag, repository)

    async def finish(self) -> None:
        """Write the index: every tag, and what is neither tagged nor listed by another manifest of its repository.

        Raises SizeExceeded for an index that would not be read again.
        """
        named = {(entry.repository, entry.content.digest) for entry in self._tagged.values()}
        alone = [
            Entry(kept.content, None, kept.repository)
            for kept in self._kept
            if (kept.repository, str(kept.content.digest)) not in self._members
            and (kept.repository, kept.content.digest) not in named
        ]
        index = self._before.joined([*self._tagged.values(), *alone], self._natives).to_bytes()
        if len(index) > INDEX_SIZE_MAX:
            words = f"the index of {self.keeper.name} would have {len(index)} bytes, and no more than {INDEX_SIZE_MAX}"
            raise SizeExceeded(f"{words} are read: export less at a time")
        await self.keeper.finish(index)
        self._finished = True


class LayoutTarget:
    """One repository of a layout that is written."""

    def __init__(self, writer: LayoutWriter, repository: RepositoryName) -> None:
        self._writer = writer
        self._repository = repository

    @property
    def place(self) -> object:
        return self._writer

    @property
    def repository(self) -> str:
        return self._repository

    async def has_blob(self, content: Content) -> bool:
        return await self._writer.keeper.has(content)

    async def has_manifest(self, manifest: Manifest) -> bool:
        """Never: it is small, and the index has to learn of it."""
        return False

    async def mount(self, content: Content, source: str | None) -> bool:
        """Never: what the layout holds, all its repositories share."""
        return False

    async def push_blob(self, content: Content, opening: Opening) -> None:
        await self._writer.keeper.put(content, opening)

    async def push_manifest(self, manifest: Manifest) -> None:
        await self._writer.add(self._repository, manifest)

    async def native(self, content: Content) -> bytes | None:
        return None

    async def tag(self, tag: TagName, manifest: Manifest) -> None:
        self._writer.tag(self._repository, tag, manifest.content)
