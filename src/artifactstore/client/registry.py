"""A repository of any OCI registry, as both ends of a copy (distribution-spec 1.1, and what came before it)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, suppress
from typing import Any

import httpx

from artifactstore.client import failures
from artifactstore.client.http import Http
from artifactstore.client.paging import Walk, linked
from artifactstore.client.uploading import Uploading
from artifactstore.errors import (
    BackendUnavailable,
    BlobUnknown,
    DigestInvalid,
    ManifestUnknown,
    NotFound,
    RepositoryUnknown,
    SizeInvalid,
)
from artifactstore.identity.digest import Digest, digest_bytes
from artifactstore.identity.names import RepositoryName, TagName
from artifactstore.manifest import oci
from artifactstore.manifest.media_types import IMAGES, INDEXES, NATIVE_MEDIA_TYPE, OCI_INDEX, UNTELLING, essence
from artifactstore.manifest.referrer_tags import fallback_tag
from artifactstore.transfer.spi import Chunks, Content, Manifest, Opening, Reference

ACCEPT = {"accept": ", ".join(sorted(IMAGES | INDEXES))}
MANIFEST_SIZE_MAX, OUR_MANIFEST_SIZE_MAX = 4 << 20, 64 << 20
"""What registries count on (distribution-spec, "Pushing Manifests"); an artifactstore may be set to take more."""
PAGE = 1000
PAGE_SIZE_MAX = 4 << 20
"""Bytes of a page; ten thousand of the longest tags are less than half of it."""
TRIES_WITHOUT_PROGRESS = 3
NOT_OFFERED = (400, 404, 405, 406, 501)
"""What registries answer where they have no referrers API, and where there is no such repository."""


class _NotOffered(Exception):
    """The registry has no such list."""


class RemoteRepository:
    """A repository on the server of `http`. With `ours` that is an artifactstore, which can do more than OCI says."""

    def __init__(
        self, http: Http, repository: RepositoryName, *, ours: bool = False, manifest_size_max: int = MANIFEST_SIZE_MAX
    ) -> None:
        self._http = http
        self._repository = repository
        self._ours = ours
        self._manifest_size_max = OUR_MANIFEST_SIZE_MAX if ours else manifest_size_max
        self._at = f"/v2/{repository}"
        self._read: dict[Digest, tuple[bytes, str]] = {}
        self._lists_referrers = True
        self._listing = asyncio.Lock()
        self._uploading = Uploading(http, self._at)

    @property
    def place(self) -> object:
        return self._http.base_url

    @property
    def repository(self) -> str:
        return self._repository

    def where(self, content: Content) -> str:
        return f"{self._http.base_url}/{self._repository}@{content.digest}"

    async def resolve(self, reference: Reference) -> Content:
        body, media_type, told = await self._get_manifest(reference)
        digest = reference if isinstance(reference, Digest) else told
        self._read[digest] = (body, media_type)
        return Content(digest, len(body), media_type)

    async def manifest(self, content: Content) -> Manifest:
        body, media_type = self._read.pop(content.digest, (b"", ""))
        if not body:
            body, media_type, _ = await self._get_manifest(content.digest)
        told = Content(content.digest, content.size, media_type or content.media_type)
        return Manifest.read(told, body, await self.native(content))

    async def _get_manifest(self, reference: Reference) -> tuple[bytes, str, Digest]:
        """Body, media type and digest. Raises ManifestUnknown, DigestInvalid when the server names another's digest."""
        try:
            response = await self._http.request(
                "GET", f"{self._at}/manifests/{reference}", headers=ACCEPT, size_max=self._manifest_size_max
            )
        except NotFound as error:
            if isinstance(error, RepositoryUnknown):
                raise
            raise ManifestUnknown(f"{self._named(reference)} is not there", detail=error.detail) from error
        body = response.content
        told = response.headers.get("docker-content-digest")
        digest = Digest.parse(told) if told else digest_bytes("sha256", body)
        if digest_bytes(digest.algorithm, body) != digest:
            raise DigestInvalid(f"{self._named(reference)} does not have the digest that the server says it has")
        kind = essence(response.headers.get("content-type", ""))
        return body, "" if kind.lower() in UNTELLING else kind, digest

    async def blob(self, content: Content, offset: int = 0) -> Chunks:
        """From where it broke off by a Range, as often as something came."""
        failed = 0
        while offset < content.size:
            try:
                async with aclosing(self._blob_from(content, offset)) as chunks:
                    async for chunk in chunks:
                        offset, failed = offset + len(chunk), 0
                        yield chunk
            except BackendUnavailable:
                failed += 1
                if failed == TRIES_WITHOUT_PROGRESS:
                    raise
                await self._http.pause(failed)

    async def _blob_from(self, content: Content, offset: int) -> Chunks:
        """One answer's worth, to its end. Raises BackendUnavailable when that came too early."""
        headers = {"range": f"bytes={offset}-"} if offset else {}
        asking = self._http.stream("GET", f"{self._at}/blobs/{content.digest}", headers=headers, expect=(200, 206, 404))
        async with asking as response:
            if response.status_code == 404:
                raise BlobUnknown(f"{self.where(content)} is not there", detail={"digest": str(content.digest)})
            at = _begins(response, content, offset)
            async for chunk in response.aiter_raw():
                at += len(chunk)
                if at > content.size:
                    raise SizeInvalid(f"has more than {content.size} bytes", detail={"digest": str(content.digest)})
                if at > offset:
                    yield chunk[-(at - offset) :]
                    offset = at
        if at < content.size:
            raise failures.nonsense(response, f"{at} of {content.size} bytes")

    async def tags(self) -> AsyncIterator[TagName]:
        try:
            async for page in self._pages(f"{self._at}/tags/list?n={PAGE}", "tags"):
                for tag in page:
                    yield TagName.parse(str(tag))
        except _NotOffered as error:
            raise RepositoryUnknown(f"{self._named()} is not there") from error

    async def referrers(self, digest: Digest) -> AsyncGenerator[Content, None]:
        """By the referrers API; where there is none, from the tag under which clients list them by themselves."""
        if self._lists_referrers:
            try:
                async for page in self._pages(f"{self._at}/referrers/{digest}", "manifests", OCI_INDEX):
                    for content in _contents(oci.parse(_index(page))):
                        yield content
                return
            except _NotOffered:
                self._lists_referrers = False
        for content in _contents(await self._listed(digest)):
            yield content

    async def _listed(self, subject: Digest) -> oci.OciManifest:
        """The index under the fallback tag; an empty one when there is none, or something else is named so.

        A registry may take such a tag for the digest itself and answer with the subject (distribution-spec main,
        "Referrers Tag Schema"; oras-go#1396).
        """
        with suppress(NotFound):
            body, media_type, digest = await self._get_manifest(TagName(fallback_tag(str(subject))))
            says = oci.parse(body, media_type)
            if says.is_index and digest != subject:
                return says
        return oci.parse(_index([]))

    async def _pages(self, path: str, key: str, media_type: str = "application/json") -> AsyncIterator[list[Any]]:
        """The lists of every page, by Link (RFC 8288). Raises _NotOffered where there is no such list."""
        walk = Walk(self._http.address(path))
        while walk.address is not None:
            response = await self._http.request(
                "GET", walk.address, headers={"accept": media_type}, expect=(200, *NOT_OFFERED), size_max=PAGE_SIZE_MAX
            )
            if response.status_code in NOT_OFFERED:
                raise _NotOffered
            page = _page(response, key, media_type)
            yield page
            walk.on(response, page, linked(response))

    async def has_blob(self, content: Content) -> bool:
        return await self._uploading.has(content)

    async def has_manifest(self, manifest: Manifest) -> bool:
        path = f"{self._at}/manifests/{manifest.content.digest}"
        response = await self._http.request("HEAD", path, headers=ACCEPT, expect=(200, 404))
        return response.status_code == 200 and await self._is_listed(manifest)

    async def _is_listed(self, manifest: Manifest) -> bool:
        """Whether a referrer is found by its subject: a copy may have ended before it was listed by a tag."""
        if manifest.says.subject is None:
            return True
        subject = Digest.parse(manifest.says.subject.digest)
        async with aclosing(self.referrers(subject)) as listed:
            async for found in listed:
                if self._lists_referrers or found.digest == manifest.content.digest:
                    return True
        return False

    async def mount(self, content: Content, source: str | None) -> bool:
        """An artifactstore may be asked for a blob of whichever repository; it says so in the same words."""
        if source is None and not self._ours:
            return False
        return await self._uploading.mount(content, source)

    async def push_blob(self, content: Content, opening: Opening) -> None:
        await self._uploading.push(content, opening)

    async def push_manifest(self, manifest: Manifest) -> None:
        response = await self._put(str(manifest.content.digest), manifest.body, manifest.content.media_type)
        if manifest.says.subject is not None and "oci-subject" not in response.headers:
            await self._list(manifest, Digest.parse(manifest.says.subject.digest))

    async def _put(self, reference: str, body: bytes, media_type: str) -> httpx.Response:
        return await self._http.request(
            "PUT",
            f"{self._at}/manifests/{reference}",
            headers={"content-type": media_type},
            content=body,
            expect=(200, 201, 202),
        )

    async def _list(self, manifest: Manifest, subject: Digest) -> None:
        """List a referrer under the fallback tag of its subject, as clients must where the registry does not."""
        content, says = manifest.content, manifest.says
        async with self._listing:
            listed = await self._listed(subject)
            if any(item.digest == str(content.digest) for item in listed.members):
                return
            item = oci.Descriptor(
                content.media_type, str(content.digest), content.size, says.artifact_type or says.kind, says.annotations
            )
            body = _index([*map(_descriptor, listed.members), _descriptor(item)])
            await self._put(fallback_tag(str(subject)), body, OCI_INDEX)

    async def native(self, content: Content) -> bytes | None:
        if not self._ours:
            return None
        path = f"/api/v1/packages/{self._repository}@{content.digest}/manifest"
        return (await self._http.request("GET", path, headers={"accept": NATIVE_MEDIA_TYPE})).content

    async def tag(self, tag: TagName, manifest: Manifest) -> None:
        await self._put(tag, manifest.body, manifest.content.media_type)

    def _named(self, reference: Reference | None = None) -> str:
        sign = "" if reference is None else "@" if isinstance(reference, Digest) else ":"
        return f"{self._http.base_url}/{self._repository}{sign}{reference or ''}"


def _begins(response: httpx.Response, content: Content, offset: int) -> int:
    """Where in the blob an answer's body begins. Raises BackendUnavailable, SizeInvalid."""
    if response.status_code == 200:
        size = response.headers.get("content-length", str(content.size))
        if size != str(content.size):
            raise SizeInvalid(f"has {size} bytes, not {content.size}", detail={"digest": str(content.digest)})
        return 0
    if not response.headers.get("content-range", "").startswith(f"bytes {offset}-"):
        raise failures.nonsense(response, "another range than was asked for")
    return offset


def _page(response: httpx.Response, key: str, media_type: str) -> list[Any]:
    """The list in an answer; a page for people, as any web server has them for every address, is none."""
    if media_type == OCI_INDEX and essence(response.headers.get("content-type", "")) != OCI_INDEX:
        raise _NotOffered
    try:
        page = json.loads(response.content)
        listed = page.get(key) or [] if isinstance(page, dict) else None
    except (ValueError, RecursionError):
        listed = None
    if not isinstance(listed, list):
        raise failures.nonsense(response, f"not a list of {key}")
    return listed


def _contents(says: oci.OciManifest) -> list[Content]:
    """What an index lists. Raises DigestInvalid."""
    return [Content(Digest.parse(item.digest), item.size, item.media_type) for item in says.members]


def _index(members: list[Any]) -> bytes:
    value = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": members}
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _descriptor(item: oci.Descriptor) -> Mapping[str, Any]:
    value = {
        "mediaType": item.media_type,
        "digest": item.digest,
        "size": item.size,
        "artifactType": item.artifact_type,
        "annotations": dict(item.annotations),
    }
    return {name: field for name, field in value.items() if field not in (None, {})}
