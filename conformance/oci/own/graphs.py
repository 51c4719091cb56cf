"""Graphs of blobs and manifests, drafted one node at a time: what a data set pushes, and what it must get back."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from conformance.oci.own.registry import EMPTY, INDEX, MANIFEST, Blob, Registry

CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
LAYER_SIZE = 1500

Json = dict[str, Any]


@dataclass(frozen=True)
class Manifest:
    """Manifest bytes, and what the registry has to know about them."""

    body: bytes
    media_type: str
    digest: str
    artifact_type: str | None = None
    annotations: Json = field(default_factory=dict)
    subject: str | None = None
    tags: tuple[str, ...] = ()

    @property
    def as_referrer(self) -> Json:
        """The descriptor by which a referrers list names it (end-12a)."""
        known = {"mediaType": self.media_type, "digest": self.digest, "size": len(self.body)}
        more = {"artifactType": self.artifact_type, "annotations": self.annotations}
        return known | {name: value for name, value in more.items() if value}


@dataclass(frozen=True)
class Graph:
    """What one data set consists of: blobs, and manifests with children before parents."""

    blobs: tuple[Blob, ...]
    manifests: tuple[Manifest, ...]

    @property
    def tagged(self) -> dict[str, Manifest]:
        """Tag -> manifest."""
        return {tag: manifest for manifest in self.manifests for tag in manifest.tags}

    def referrers(self, digest: str) -> list[Manifest]:
        """The manifests whose subject that is."""
        return [manifest for manifest in self.manifests if manifest.subject == digest]

    @property
    def subjects(self) -> list[str]:
        """Every digest whose referrers are of interest: those of subjects, and of manifests that may have none."""
        named = [manifest.subject for manifest in self.manifests if manifest.subject]
        return list(dict.fromkeys([*named, *(manifest.digest for manifest in self.manifests)]))


class Draft:
    """A graph in the making; each method adds a node and returns its descriptor.

    `held=False` leaves the node out of what is pushed, so that the graph has a hole there.
    """

    def __init__(self, registry: Registry, name: str, algorithm: str = "sha256") -> None:
        self.registry = registry
        self.name = name
        self.algorithm = algorithm
        self._blobs: dict[str, Blob] = {}
        self._manifests: list[Manifest] = []
        self._count = 0

    def graph(self) -> Graph:
        """What was drafted."""
        return Graph(tuple(self._blobs.values()), tuple(self._manifests))

    def blob(self, media_type: str = LAYER, data: bytes | None = None, *, held: bool = True, **more: Any) -> Json:
        """A blob, of new bytes unless they are given."""
        self._count += 1
        fresh = self.registry.blob(f"{self.name} {self._count}", LAYER_SIZE, self.algorithm)
        blob = fresh if data is None else Blob(data, self.algorithm)
        if held:
            self._blobs[blob.digest] = blob
        return {"mediaType": media_type, "digest": blob.digest, "size": len(blob.data), **more}

    def empty(self, **more: Any) -> Json:
        """The blob `{}`."""
        return self.blob(EMPTY, b"{}", **more)

    def config(self, **more: Any) -> Json:
        """An image's config, unlike any other."""
        self._count += 1
        value = {"architecture": "amd64", "os": "linux", "author": f"{self.registry.run} {self.name} {self._count}"}
        return self.blob(CONFIG, json.dumps(value | {"rootfs": {"type": "layers", "diff_ids": []}} | more).encode())

    def image(self, layers: list[Json] | None = None, *, config: Json | None = None, **more: Any) -> Json:
        """An image manifest, with two new layers unless they are given; for `more` see `add`."""
        fields = {"config": config or self.config(), "layers": [self.blob(), self.blob()] if layers is None else layers}
        return self.add(MANIFEST, fields, **more)

    def artifact(self, kind: str, **more: Any) -> Json:
        """An image manifest that is an artifact of this type."""
        return self.image([self.blob("application/x.own.layer")], config=self.empty(), artifactType=kind, **more)

    def index(self, manifests: list[Json], **more: Any) -> Json:
        """An image index."""
        return self.add(INDEX, {"manifests": manifests}, **more)

    def add(self, media_type: str, fields: Json, *, tags: tuple[str, ...] = (), held: bool = True, **more: Any) -> Json:
        """A manifest of these fields and `more`, those of which that are None left out."""
        value = {"schemaVersion": 2, "mediaType": media_type, **fields, **more}
        value = {name: given for name, given in value.items() if given is not None}
        body = Blob(json.dumps(value, indent=1).encode(), self.algorithm)
        kind = value.get("artifactType") or fields.get("config", {}).get("mediaType")
        subject = value.get("subject", {}).get("digest")
        made = Manifest(body.data, media_type, body.digest, kind, value.get("annotations", {}), subject, tags)
        if held:
            self._manifests.append(made)
        return {"mediaType": media_type, "digest": made.digest, "size": len(made.body)}

    def roots(self) -> tuple[str, ...]:
        """Tags for a root: enough of them, and in unlike enough writing, that their order and number mean something."""
        word = self.name.replace(" ", "-")
        return (f"{word}.z", word, f"{word}-9", f"{word.upper()}_a", f"_{word}")
