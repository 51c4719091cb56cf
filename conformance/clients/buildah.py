"""buildah: images made without a daemon."""

from __future__ import annotations

from pathlib import Path

from conformance.clients.client import left_out
from conformance.clients.containers import LARGE_BY_SKOPEO, ONLY_IMAGES, PLAIN, LocalImages
from conformance.clients.scene import Scene


class Buildah(LocalImages):
    """Makes an image of a directory, layer by layer."""

    name = "buildah"
    cannot = left_out(
        {"makes images, pushes and pulls them, and nothing else": ("list_tags", "delete_by_tag", "delete_by_digest")},
        LARGE_BY_SKOPEO,
        ONLY_IMAGES,
    )

    def made_of(self, scene: Scene, content: Path) -> str:
        container = self.box(scene, "from", "scratch")
        self.box(scene, "copy", container, str(content), "/")
        return self.box(scene, "commit", "--quiet", container)

    def pull(self, scene: Scene, reference: str) -> Path:
        container = self.box(scene, "from", PLAIN, scene.at(reference), store="other").splitlines()[-1]
        return Path(self.box(scene, "mount", container, store="other"))
