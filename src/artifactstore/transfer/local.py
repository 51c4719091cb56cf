"""A repository of a store on this machine, as both ends of a copy."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing, suppress

from artifactstore.dataplane.spi import one_chunk
from artifactstore.errors import ChunkOutOfOrder, NotFound, UploadBusy, UploadUnknown
from artifactstore.identity.actor import Principal
from artifactstore.identity.digest import Digest, digest_bytes
from artifactstore.identity.names import RepositoryName, TagName
from artifactstore.manifest import oci
from artifactstore.registry.registry import Registry
from artifactstore.registry.uploads import UploadStatus
from artifactstore.transfer.spi import Chunks, Content, Manifest, Opening, Reference

PAGE = 1000
RESUMABLE_BYTES = 16 << 20
"""A blob from this size on comes by an upload, which keeps what it has when the copy is interrupted."""


class LocalRepository:
    """A repository of `registry`, read and written as `principal`."""

    def __init__(self, registry: Registry, principal: Principal, repository: RepositoryName) -> None:
        self._registry = registry
        self._principal = principal
        self._repository = repository

    @property
    def place(self) -> object:
        return self._registry

    @property
    def repository(self) -> str:
        return self._repository

    def where(self, content: Content) -> str:
        return f"{self._repository}@{content.digest}"

    async def resolve(self, reference: Reference) -> Content:
        found = await self._registry.resolve(self._principal, self._repository, reference)
        return Content(found.digest, found.size, found.media_type)

    async def manifest(self, content: Content) -> Manifest:
        found = await self._registry.resolve(self._principal, self._repository, content.digest)
        body = await self._registry.get_bytes(found)
        return Manifest.read(Content(content.digest, content.size, found.media_type), body, await self.native(content))

    async def blob(self, content: Content, offset: int = 0) -> Chunks:
        found = await self._registry.resolve_blob(self._principal, self._repository, content.digest)
        served = await self._registry.serve(found, offset)
        try:
            async for chunk in served.chunks:
                yield chunk
        finally:
            closing = getattr(served.chunks, "aclose", None)
            if closing is not None:
                await closing()

    async def tags(self) -> AsyncIterator[TagName]:
        last = ""
        while page := await self._registry.tags(self._principal, self._repository, last=last, limit=PAGE):
            for tag in page:
                yield TagName(tag)
            last = page[-1]

    async def referrers(self, digest: Digest) -> AsyncIterator[Content]:
        """By subject, and what clients that know no better listed under the fallback tag."""
        after = 0
        while page := await self._registry.attachments(
            self._principal, self._repository, digest, after=after, limit=PAGE
        ):
            for attached in page:
                if attached.via != "tag":
                    row = attached.row
                    yield Content(Digest.parse(row.digest), row.size, row.media_type)
            after = page[-1].row.sequence

    async def has_blob(self, content: Content) -> bool:
        try:
            await self._registry.resolve_blob(self._principal, self._repository, content.digest)
        except NotFound:
            return False
        return True

    async def has_manifest(self, manifest: Manifest) -> bool:
        """Here with all it needs: a sparse one, or one whose blobs were deleted since, is made whole."""
        top = manifest.content.digest
        if await self._says(top) is None:
            return False
        todo, seen = [top], {top}
        while todo:
            says = await self._says(todo.pop())
            if says is None:
                continue  # a blob, and there, or it would be missing
            if await self._registry.missing(self._principal, self._repository, says):
                return False
            below = {Digest.parse(member.digest) for member in says.members} - seen
            seen |= below
            todo += below
        return True

    async def _says(self, digest: Digest) -> oci.OciManifest | None:
        """A manifest that is here; None when there is none."""
        try:
            found = await self._registry.resolve(self._principal, self._repository, digest)
        except NotFound:
            return None
        return oci.parse(await self._registry.get_bytes(found), found.media_type)

    async def mount(self, content: Content, source: str | None) -> bool:
        """From whichever repository of the store holds it: the bytes are here, whoever brought them."""
        return await self._registry.mount_blob(self._principal, self._repository, content.digest, None) is not None

    async def push_blob(self, content: Content, opening: Opening) -> None:
        if content.size >= RESUMABLE_BYTES:
            # Another copy may bring the same blob at the same time: whoever is first, it is kept once.
            with suppress(UploadBusy, UploadUnknown, ChunkOutOfOrder):
                await self._continue(await self._upload(content), content, opening)
                return
        async with aclosing(opening(0)) as chunks:
            await self._registry.push_blob(
                self._principal, self._repository, chunks, content.digest, length=content.size
            )

    async def _upload(self, content: Content) -> UploadStatus:
        """The upload that an interrupted copy of the same blob left, or a new one under the name that it will look for.

        Raises UploadBusy while another copy is writing to it.
        """
        name = digest_bytes("sha256", f"transfer {self._repository} {content.digest}".encode()).hex[:32]
        here = (self._principal, self._repository)
        with suppress(UploadUnknown):
            found = await self._registry.upload_status(*here, name)
            if found.offset <= content.size:
                return found
            await self._registry.cancel_upload(*here, name)
        return await self._registry.open_upload(*here, algorithm=content.digest.algorithm, upload_id=name)

    async def _continue(self, upload: UploadStatus, content: Content, opening: Opening) -> None:
        """Bring what the upload lacks; when the source breaks off, what came so far stays for the next copy."""
        here = (self._principal, self._repository, upload.upload_id)
        async with aclosing(opening(upload.offset)) as chunks:
            await self._registry.append_upload(*here, chunks, offset=upload.offset, length=content.size - upload.offset)
        await self._registry.close_upload(*here, one_chunk(b""), content.digest, offset=content.size)

    async def push_manifest(self, manifest: Manifest) -> None:
        content = manifest.content
        await self._registry.push_manifest(
            self._principal, self._repository, content.digest, manifest.body, media_type=content.media_type
        )

    async def native(self, content: Content) -> bytes | None:
        native, _ = await self._registry.native_manifest(self._principal, self._repository, content.digest)
        return native

    async def tag(self, tag: TagName, manifest: Manifest) -> None:
        await self._registry.tag(self._principal, self._repository, tag, manifest.content.digest)
