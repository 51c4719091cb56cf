"""OCI and Docker manifests as clients push them: parsed once, into values that can only be valid.

Strict where two readers could see two things (encoding, repeated names, types of fields), open where the world grows
(unknown fields, media types, digest algorithms): image-spec main, "manifest.md", "image-index.md", "descriptor.md".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from artifactstore.identity.digest import is_digest_text
from artifactstore.manifest import media_types
from artifactstore.manifest.codec import INTEGER_MAX
from artifactstore.manifest.media_types import is_nondistributable
from artifactstore.manifest.problems import invalid, step
from artifactstore.manifest.referrer_tags import attachment_tags, fallback_tag
from artifactstore.manifest.roles import Role, role_of
from artifactstore.manifest.strict_json import read

__all__ = [
    "Descriptor",
    "OciManifest",
    "Role",
    "attachment_tags",
    "fallback_tag",
    "is_nondistributable",
    "parse",
    "required_blobs",
    "required_manifests",
]

_Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What a manifest says of other content. `digest` may be of an algorithm that is not supported; `size` in bytes."""

    media_type: str
    digest: str
    size: int
    artifact_type: str | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OciManifest:
    """What a pushed manifest says. An index has `members`; everything else has `layers` and mostly a `config`.

    `kind` is artifactType, else config.mediaType, else the media type.
    """

    media_type: str
    kind: str
    artifact_type: str | None
    config: Descriptor | None
    layers: tuple[Descriptor, ...]
    members: tuple[Descriptor, ...]
    subject: Descriptor | None
    annotations: Mapping[str, str]
    is_index: bool
    role: Role


def parse(body: bytes, content_type: str | None = None) -> OciManifest:
    """Read a manifest's bytes, pushed as `content_type`. Raises ManifestInvalid naming the offending path."""
    fields = read(body)
    if not isinstance(fields, dict):
        raise invalid("", "not a JSON object")
    media_type = _media_type(fields, content_type)
    _check_schema(fields, media_type)
    is_index = _is_index(fields, media_type)
    artifact_type = _type(fields, "artifactType", "")
    annotations = _annotations(fields, "")
    subject = _optional(fields, "subject")
    if is_index:
        members = _descriptors(fields, "manifests")
        role = role_of(artifact_type, None, (), annotations, has_subject=subject is not None)
        kind = artifact_type or media_type
        return OciManifest(media_type, kind, artifact_type, None, (), members, subject, annotations, True, role)
    config = _optional(fields, "config")
    layers_name = _layers_name(fields, media_type)
    layers = _descriptors(fields, layers_name)
    if sum(layer.size for layer in layers) > INTEGER_MAX:
        raise invalid(f"/{layers_name}", "have more than 2^53-1 bytes together")
    config_type = config.media_type if config else None
    layer_types = (layer.media_type for layer in layers)
    role = role_of(artifact_type, config_type, layer_types, annotations, has_subject=subject is not None)
    kind = artifact_type or config_type or media_type
    return OciManifest(media_type, kind, artifact_type, config, layers, (), subject, annotations, False, role)


def required_blobs(manifest: OciManifest) -> tuple[Descriptor, ...]:
    """Config and layers that a push needs, each digest once; without those that are not to be distributed."""
    held = ((manifest.config,) if manifest.config else ()) + manifest.layers
    return _once(item for item in held if not is_nondistributable(item.media_type))


def required_manifests(manifest: OciManifest) -> tuple[Descriptor, ...]:
    """Members that a push needs, each digest once; never the subject, which may come later.

    A member may also be a blob: the index that BuildKit keeps its cache in lists layers.
    """
    return _once(manifest.members)


def _once(descriptors: Any) -> tuple[Descriptor, ...]:
    found: dict[str, Descriptor] = {}
    for descriptor in descriptors:
        found.setdefault(descriptor.digest, descriptor)
    return tuple(found.values())


def _media_type(fields: _Json, content_type: str | None) -> str:
    """The body's mediaType, which the Content-Type must not contradict; else the Content-Type; else the shape's own."""
    said = _text(fields, "mediaType", "")
    sent = media_types.essence(content_type or "")
    if sent.lower() in media_types.UNTELLING:
        sent = ""
    if said and sent and said.lower() != sent.lower():
        raise invalid("/mediaType", f"{said} was sent as {sent}")
    chosen = said or sent or (media_types.OCI_INDEX if "manifests" in fields else media_types.OCI_MANIFEST)
    if not media_types.is_media_type(chosen):
        raise invalid("/mediaType", f"{chosen!r} is not a media type")
    if chosen.lower() in media_types.REFUSED or "fsLayers" in fields:
        raise invalid("/mediaType", "Docker image manifests of schema 1 are not supported")
    return chosen


def _check_schema(fields: _Json, media_type: str) -> None:
    version = fields.get("schemaVersion")
    if version is None and media_type == media_types.OCI_ARTIFACT:
        return
    if type(version) is not int or version != 2:
        raise invalid("/schemaVersion", "must be 2")


def _is_index(fields: _Json, media_type: str) -> bool:
    """Whether this is a list of manifests; refuses what could be read as both (image-spec, CVE-2021-41190)."""
    is_known = media_type in media_types.IMAGES or media_type in media_types.INDEXES
    is_index = media_type in media_types.INDEXES if is_known else "manifests" in fields
    foreign = ("config", "layers") if is_index else ("manifests",)
    for name in foreign:
        if fields.get(name) is not None:
            raise invalid(f"/{name}", "a manifest has either manifests or config and layers")
    if not is_known and not fields.keys() & {"manifests", "layers", "blobs", "config"}:
        raise invalid("", "has the shape of no manifest: neither manifests nor layers nor config")
    return is_index


def _layers_name(fields: _Json, media_type: str) -> str:
    is_artifact = media_type == media_types.OCI_ARTIFACT
    return "blobs" if is_artifact or (media_type not in media_types.IMAGES and "layers" not in fields) else "layers"


def _descriptors(fields: _Json, name: str) -> tuple[Descriptor, ...]:
    """A list of descriptors; null is what Go writes for an empty one."""
    items = fields.get(name)
    if items is None:
        return ()
    if not isinstance(items, list):
        raise invalid(f"/{name}", "not a list")
    return tuple([_descriptor(item, f"/{name}/{position}") for position, item in enumerate(items)])


def _optional(fields: _Json, name: str) -> Descriptor | None:
    item = fields.get(name)
    return None if item is None else _descriptor(item, f"/{name}")


def _descriptor(item: Any, path: str) -> Descriptor:
    """One descriptor (image-spec, "descriptor.md"): mediaType, digest and size are required, the rest is open."""
    if not isinstance(item, dict):
        raise invalid(path, "not a descriptor object")
    media_type = _type(item, "mediaType", path)
    if media_type is None:
        raise invalid(f"{path}/mediaType", "is missing")
    digest = item.get("digest")
    if not isinstance(digest, str) or not is_digest_text(digest):
        raise invalid(f"{path}/digest", "not a digest: expected <algorithm>:<encoded>")
    size = item.get("size")
    if type(size) is not int or not 0 <= size <= INTEGER_MAX:
        raise invalid(f"{path}/size", "not a number of bytes from 0 to 2^53-1")
    return Descriptor(media_type, digest, size, _type(item, "artifactType", path), _annotations(item, path))


def _type(fields: _Json, name: str, path: str) -> str | None:
    text = _text(fields, name, path)
    if text and not media_types.is_header_safe(text):
        raise invalid(f"{path}/{name}", f"not at most {media_types.LENGTH_MAX} printable ASCII characters")
    return text or None


def _text(fields: _Json, name: str, path: str) -> str:
    """A text that may be absent, null or empty, which all mean the same to Go's `omitempty`."""
    text = fields.get(name)
    if text is None:
        return ""
    if not isinstance(text, str):
        raise invalid(f"{path}/{name}", "not text")
    return text


def _annotations(fields: _Json, path: str) -> Mapping[str, str]:
    annotations = fields.get("annotations")
    if annotations is None:
        return {}
    if not isinstance(annotations, dict):
        raise invalid(f"{path}/annotations", "not an object")
    for name, value in annotations.items():
        if not isinstance(value, str):
            raise invalid(f"{path}/annotations/{step(name)}", "not text")
    return annotations
