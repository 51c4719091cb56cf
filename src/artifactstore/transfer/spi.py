"""What the engine asks of a place that it copies from or to: one repository of a store, a registry or a layout."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from typing import Protocol

from artifactstore.errors import DigestInvalid, SizeInvalid
from artifactstore.identity.digest import Digest, digest_bytes
from artifactstore.identity.names import TagName
from artifactstore.manifest import oci

Reference = Digest | TagName
Chunks = AsyncGenerator[bytes, None]
Opening = Callable[[int], Chunks]
"""Offset -> the bytes of a blob from there on. May be opened again and again, one at a time; close what it gives."""


@dataclass(frozen=True, slots=True)
class Content:
    """A blob or manifest: the digest that names it, its size in bytes, its media type."""

    digest: Digest
    size: int
    media_type: str

    @classmethod
    def of(cls, descriptor: oci.Descriptor) -> Content:
        """What a descriptor names. Raises DigestInvalid for an algorithm that is not supported."""
        return cls(Digest.parse(descriptor.digest), descriptor.size, descriptor.media_type)


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest whose bytes have its digest, what they say, and the native manifest, where the source has one."""

    content: Content
    body: bytes
    says: oci.OciManifest
    native: bytes | None = None

    @classmethod
    def read(cls, content: Content, body: bytes, native: bytes | None = None) -> Manifest:
        """Check and parse the bytes that a source gave for `content`; its media type is what it says itself.

        Raises DigestInvalid, SizeInvalid, ManifestInvalid.
        """
        if len(body) != content.size:
            raise SizeInvalid(f"has {len(body)} bytes, not {content.size}", detail={"digest": str(content.digest)})
        if digest_bytes(content.digest.algorithm, body) != content.digest:
            raise DigestInvalid("the bytes are not those of the digest", detail={"digest": str(content.digest)})
        says = oci.parse(body, content.media_type)
        return cls(Content(content.digest, content.size, says.media_type), body, says, native)


class Source(Protocol):
    """One repository that is read. Everything raises BackendUnavailable; nothing needs to be checked by the caller
    but the digests of blobs.

    Any number of calls may be under way at a time.
    """

    @property
    def place(self) -> object:
        """What is equal for repositories between which content can be mounted."""
        ...

    @property
    def repository(self) -> str:
        """The repository's name there; empty where it has none."""
        ...

    def where(self, content: Content) -> str:
        """Where a blob or manifest is, in words that people can look it up by."""
        ...

    async def resolve(self, reference: Reference) -> Content:
        """The manifest that a tag or digest names. Raises ManifestUnknown, RepositoryUnknown."""
        ...

    async def manifest(self, content: Content) -> Manifest:
        """A manifest by its digest; the size of `content` is that of its bytes.

        Raises ManifestUnknown, DigestInvalid, SizeInvalid, ManifestInvalid.
        """
        ...

    def blob(self, content: Content, offset: int = 0) -> Chunks:
        """The bytes from `offset` on; not more than the size says. A broken connection is mended where that can be.

        Raises BlobUnknown, SizeInvalid.
        """
        ...

    def tags(self) -> AsyncIterator[TagName]:
        """Every tag, in byte order. Raises RepositoryUnknown."""
        ...

    def referrers(self, digest: Digest) -> AsyncIterator[Content]:
        """Manifests whose subject is `digest`, as far as this place knows; not what only a tag attaches.

        The engine looks whether they say so themselves.
        """
        ...


class Target(Protocol):
    """One repository that is written. Everything raises BackendUnavailable and what the place refuses with.

    The engine pushes what a manifest names before the manifest, and sets a tag last. Any number of calls may be under
    way at a time, for different content.
    """

    @property
    def place(self) -> object:
        """As of a source."""
        ...

    @property
    def repository(self) -> str:
        """As of a source."""
        ...

    async def has_blob(self, content: Content) -> bool:
        """Whether the blob is here, with all its bytes."""
        ...

    async def has_manifest(self, manifest: Manifest) -> bool:
        """Whether the manifest is here, and, as far as this place can tell, all that it needs."""
        ...

    async def mount(self, content: Content, source: str | None) -> bool:
        """Take a blob that this place holds already: in the repository `source`, or, with None, in any that it likes.

        Whether that was possible; False where the place does not know such a thing.
        """
        ...

    async def push_blob(self, content: Content, opening: Opening) -> None:
        """Store a blob. On return it is whole and verified; raises DigestInvalid and SizeInvalid when it is not."""
        ...

    async def push_manifest(self, manifest: Manifest) -> None:
        """Store a manifest under its digest."""
        ...

    async def native(self, content: Content) -> bytes | None:
        """The native manifest that this place derived for a manifest that is here; None where it derives none."""
        ...

    async def tag(self, tag: TagName, manifest: Manifest) -> None:
        """Let `tag` name a manifest that is here."""
        ...


class Repository(Source, Target, Protocol):
    """One that can be both: of a store or a registry."""
