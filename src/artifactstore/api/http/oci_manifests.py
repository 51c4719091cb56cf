"""Manifests and tags over HTTP: pull, push, delete."""

from __future__ import annotations

from artifactstore.api.http import oci_headers
from artifactstore.api.http import oci_request as ask
from artifactstore.api.http.answers import Answer, content, empty
from artifactstore.api.http.calls import Call
from artifactstore.identity.digest import Digest
from artifactstore.registry.registry import Registry


async def get_manifest(registry: Registry, request: ask.ManifestGet, call: Call) -> Answer:
    """end-3: the bytes as they were pushed, whatever Accept says; clients convert, registries do not."""
    manifest = await registry.resolve(call.principal, request.repository, request.reference)
    tag = oci_headers.etag(manifest.digest)
    known = (oci_headers.content_digest(manifest.digest), (b"etag", tag.encode()))
    if oci_headers.is_known_to(call, tag):
        return empty(304, known)
    media_type = manifest.media_type.encode("ascii")
    if call.method == "HEAD":
        return Answer(200, (*known, (b"content-type", media_type), (b"content-length", b"%d" % manifest.size)))
    return content(await registry.serve(manifest), media_type, headers=known)


async def put_manifest(registry: Registry, request: ask.ManifestPut, call: Call) -> Answer:
    """end-7a, end-7b. The body is read within the limit, with or without an announced length."""
    body = await call.read_limited(registry.policy.manifest_size_max)
    pushed = await registry.push_manifest(
        call.principal,
        request.repository,
        request.reference,
        body,
        media_type=call.header(b"content-type"),
        tags=request.tags,
    )
    digest = pushed.descriptor.digest
    headers = [oci_headers.manifest_location(request.repository, digest), oci_headers.content_digest(digest)]
    if pushed.subject is not None:
        headers.append((b"oci-subject", pushed.subject.encode()))
    if request.tags:
        headers.extend((b"oci-tag", tag.encode()) for tag in pushed.tags)
    return empty(201, headers)


async def delete_manifest(registry: Registry, request: ask.ManifestDelete, call: Call) -> Answer:
    """end-9: a tag goes alone, a manifest takes its tags along."""
    if isinstance(request.reference, Digest):
        await registry.delete_manifest(call.principal, request.repository, request.reference)
    else:
        await registry.delete_tag(call.principal, request.repository, request.reference)
    return empty(202)
