"""The native API: lists of packages, one package, its native manifest, and what refers to it."""

from __future__ import annotations

from artifactstore.api.http import oci_headers, parameters
from artifactstore.api.http.accepts import choose
from artifactstore.api.http.answers import Answer, content, empty, json_answer
from artifactstore.api.http.calls import Call
from artifactstore.api.http.endpoints import Endpoint, Parameter
from artifactstore.api.http.schemas import (
    ADDRESS,
    BYTES,
    FLAG,
    KNOWN_DIGEST,
    OBJECT,
    PACKAGE_NAME,
    REPOSITORY_NAME,
    TAG_NAME,
    TEXT,
    named,
)
from artifactstore.identity.digest import ContentAddress, Digest
from artifactstore.identity.names import RepositoryName, TagName
from artifactstore.identity.references import PackageName
from artifactstore.manifest.media_types import NATIVE_JSON_MEDIA_TYPE, NATIVE_MEDIA_TYPE
from artifactstore.manifest.projection import to_jcs
from artifactstore.registry import rendering
from artifactstore.registry.core import off_loop
from artifactstore.registry.registry import Registry

JSON = "application/json"
MANIFEST_TYPES = (NATIVE_MEDIA_TYPE, NATIVE_JSON_MEDIA_TYPE, JSON)
PACKAGE = Parameter(
    "package",
    "path",
    PACKAGE_NAME,
    "`{repository}@{digest}` or `{repository}:{tag}`; the slashes of the repository stay as they are.",
)


def package_name(call: Call) -> PackageName:
    """The package that the path names. Raises NameInvalid, DigestInvalid."""
    return PackageName.parse(call.scope["path_params"]["package"])


async def packages(registry: Registry, call: Call) -> Answer:
    """A page of packages, newest first."""
    size = parameters.page_size(call)
    found = await registry.packages(
        call.principal,
        repository=parameters.parsed(call, "repository", RepositoryName.parse),
        tag=parameters.parsed(call, "tag", TagName.parse),
        digest=parameters.parsed(call, "digest", Digest.parse),
        kind=call.parameter("kind"),
        members=parameters.flag(call, "members"),
        attachments=parameters.flag(call, "attachments"),
        before=parameters.number(call, "cursor", default=parameters.NUMBER_MAX),
        limit=size + 1,
    )
    page = found[:size]
    more = parameters.following(call, cursor=page[-1].row.stored_sequence) if len(found) > size else None
    value = {"packages": [rendering.package(package) for package in page], "next": more}
    return json_answer(value, headers=parameters.link(more))


async def package(registry: Registry, call: Call) -> Answer:
    """One package."""
    name = package_name(call)
    return json_answer(rendering.package(await registry.package(call.principal, name.repository, name.reference)))


async def deletion(registry: Registry, call: Call) -> Answer:
    """What the deletion of a package would take away."""
    name = package_name(call)
    return json_answer(rendering.deletion(await registry.deletion(call.principal, name.repository, name.reference)))


async def referrers(registry: Registry, call: Call) -> Answer:
    """What refers to a package, in order of arrival."""
    name, size = package_name(call), parameters.page_size(call)
    after = parameters.number(call, "cursor", default=0)
    found = await registry.attachments(call.principal, name.repository, name.reference, after=after, limit=size + 1)
    page = found[:size]
    more = parameters.following(call, cursor=page[-1].row.sequence) if len(found) > size else None
    value = {"referrers": [rendering.attachment(attached) for attached in page], "next": more}
    return json_answer(value, headers=parameters.link(more))


async def manifest(registry: Registry, call: Call) -> Answer:
    """A package's native manifest."""
    name = package_name(call)
    cbor, digest = await registry.native_manifest(call.principal, name.repository, name.reference)
    return await _represented(call, cbor, digest)


async def manifest_by_digest(registry: Registry, call: Call) -> Answer:
    """A native manifest by its own digest, of whichever package."""
    digest = ContentAddress.parse(call.scope["path_params"]["digest"]).digest
    return await _represented(call, await registry.native_manifest_by_digest(call.principal, digest), digest)


async def _represented(call: Call, cbor: bytes, digest: Digest) -> Answer:
    """The canonical CBOR, or its projection, as Accept says. Raises NotAcceptable.

    The tag of the projection differs, since a strong tag names one sequence of bytes (RFC 9110, 8.8.3.3).
    """
    chosen = choose(call.header(b"accept"), MANIFEST_TYPES)
    tag = oci_headers.etag(digest) if chosen == NATIVE_MEDIA_TYPE else f'"{digest};jcs"'
    headers = ((b"vary", b"Accept"), (b"etag", tag.encode()))
    if oci_headers.is_known_to(call, tag):
        return empty(304, headers)
    body = cbor if chosen == NATIVE_MEDIA_TYPE else await off_loop(len(cbor), to_jcs, cbor)
    return content(body, chosen.encode(), headers=headers)


_MANIFEST_ANSWERS = {
    200: {NATIVE_MEDIA_TYPE: BYTES, NATIVE_JSON_MEDIA_TYPE: OBJECT, JSON: OBJECT},
    304: {},
}

ENDPOINTS = (
    Endpoint(
        "/api/v1/packages",
        "listPackages",
        "Packages that meet every condition, newest first",
        packages,
        (
            Parameter("repository", "query", REPOSITORY_NAME, "Of this repository."),
            Parameter("tag", "query", TAG_NAME, "With this tag, in whichever repository."),
            Parameter("digest", "query", KNOWN_DIGEST, "With this digest, of the OCI manifest or the native one."),
            Parameter("kind", "query", TEXT, "Of this kind: the artifact type, else the config's media type."),
            Parameter("members", "query", {**FLAG, "default": False}, "Also those that an index of theirs lists."),
            Parameter("attachments", "query", {**FLAG, "default": False}, "Also signatures, attestations and SBOMs."),
            parameters.N,
            parameters.CURSOR,
        ),
        {200: {JSON: named("Packages")}},
    ),
    Endpoint(
        "/api/v1/packages/{package:package}",
        "getPackage",
        "One package, by tag or any digest",
        package,
        (PACKAGE,),
        {200: {JSON: named("Package")}},
        (404,),
    ),
    Endpoint(
        "/api/v1/packages/{package:package}/deletion",
        "previewDeletion",
        "What the deletion of a package would take away, and what it would leave",
        deletion,
        (PACKAGE,),
        {200: {JSON: named("Deletion")}},
        (404,),
    ),
    Endpoint(
        "/api/v1/packages/{package:package}/manifest",
        "getPackageManifest",
        "A package's native manifest in canonical CBOR, or its JSON projection (RFC 8785)",
        manifest,
        (PACKAGE,),
        _MANIFEST_ANSWERS,
        (404, 406),
    ),
    Endpoint(
        "/api/v1/packages/{package:package}/referrers",
        "listReferrers",
        "Signatures, attestations, SBOMs and whatever else refers to a package, in order of arrival",
        referrers,
        (PACKAGE, parameters.N, parameters.CURSOR),
        {200: {JSON: named("Referrers")}},
        (404,),
    ),
    Endpoint(
        "/api/v1/manifests/{digest}",
        "getManifest",
        "A native manifest by its own digest",
        manifest_by_digest,
        (Parameter("digest", "path", ADDRESS, "`blake3:<hex>` of the canonical CBOR."),),
        _MANIFEST_ANSWERS,
        (404, 406),
    ),
)
