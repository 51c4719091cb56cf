"""skopeo: images from one place to another."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Literal

from conformance.clients import samples
from conformance.clients.client import left_out
from conformance.clients.containers import ONLY_IMAGES, PLAIN, ContainersClient
from conformance.clients.scene import Scene


class Skopeo(ContainersClient):
    """Copies between registries and directories."""

    name = "skopeo"
    large_body = "chunked"
    sends_as_is = False
    cannot = left_out({"copies indexes, and makes none": ("push_index",)}, ONLY_IMAGES)

    def push(self, scene: Scene, tag: str, content: Path) -> None:
        layout = samples.image_layout(content, scene.workspace / "layout")
        self._copy(scene, f"oci:{layout}", f"docker://{scene.at(tag)}")

    def pull(self, scene: Scene, reference: str) -> Path:
        self._copy(scene, f"docker://{scene.at(reference)}", "oci:back")
        return samples.only_layer(scene.workspace / "back", scene.workspace / "pulled")

    def push_large(self, scene: Scene, tag: str, file: Path) -> None:
        layer = Path(shutil.move(file, scene.workspace / "layer"))
        layout = samples.layout(scene.folder("layout"), b"{}", layer, samples.LAYER)
        self._copy(scene, f"oci:{layout}", f"docker://{scene.at(tag)}")

    def tag(self, scene: Scene, old: str, new: str) -> None:
        self._copy(scene, f"docker://{scene.at(old)}", f"docker://{scene.at(new)}")

    def tags(self, scene: Scene) -> list[str]:
        said = json.loads(scene.run("skopeo", "list-tags", PLAIN, f"docker://{scene.name}"))
        return list(said["Tags"])

    def copy(self, scene: Scene, tag: str, target: Scene) -> None:
        self._copy(scene, f"docker://{scene.at(tag)}", f"docker://{target.at(tag)}")

    def delete_tag(self, scene: Scene, tag: str) -> Literal["tag", "manifest"]:
        self.delete_digest(scene, tag)
        return "manifest"

    def delete_digest(self, scene: Scene, digest: str) -> None:
        scene.run("skopeo", "delete", PLAIN, f"docker://{scene.at(digest)}")

    def _copy(self, scene: Scene, source: str, target: str) -> None:
        sides = [f"--{side}-tls-verify=false" for side in ("src", "dest")]
        scene.run("skopeo", "copy", "--quiet", *sides, source, target)
