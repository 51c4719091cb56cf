"""crane: images, by the library that most tools in Go build upon."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from conformance.clients import samples
from conformance.clients.client import NO_CHARTS, NO_REFERRERS, NO_RESUME, NO_SIGNING, GoClient, Reasons, left_out
from conformance.clients.scene import Scene
from conformance.tools import CRANE

BEGINS_ANEW: Reasons = {"begins a blob anew when a connection breaks": ("resume_push",)}


class Crane(GoClient):
    """go-containerregistry's command line."""

    name = "crane"
    tool = CRANE
    kind = samples.IMAGE_CONFIG
    cannot = left_out(BEGINS_ANEW, NO_REFERRERS, NO_SIGNING, NO_CHARTS, NO_RESUME)

    def push(self, scene: Scene, tag: str, content: Path) -> None:
        layer = samples.pack(content, scene.workspace / "layer.tar")
        self.run(scene, "append", "--oci-empty-base", "--new_layer", str(layer), "--new_tag", scene.at(tag))

    def pull(self, scene: Scene, reference: str) -> Path:
        flat = scene.workspace / "flat.tar"
        self.run(scene, "export", scene.at(reference), str(flat))
        return samples.unpack(flat, scene.workspace / "pulled")

    def push_large(self, scene: Scene, tag: str, file: Path) -> None:
        moved = Path(shutil.move(file, scene.workspace / "layer"))
        layout = samples.layout(scene.folder("layout"), b"{}", moved, "application/octet-stream")
        self.run(scene, "push", str(layout), scene.at(tag))

    def tag(self, scene: Scene, old: str, new: str) -> None:
        self.run(scene, "tag", scene.at(old), new)

    def tags(self, scene: Scene) -> list[str]:
        return self.run(scene, "ls", scene.name).split()

    def copy(self, scene: Scene, tag: str, target: Scene) -> None:
        self.run(scene, "copy", scene.at(tag), target.at(tag))

    def push_index(self, scene: Scene, tag: str, members: Sequence[str]) -> None:
        listed = [word for member in members for word in ("--manifest", scene.at(member))]
        self.run(scene, "index", "append", *listed, "--tag", scene.at(tag))

    def delete_tag(self, scene: Scene, tag: str) -> Literal["tag", "manifest"]:
        self.run(scene, "delete", scene.at(tag))
        return "tag"

    def delete_digest(self, scene: Scene, digest: str) -> None:
        self.run(scene, "delete", scene.at(digest))
