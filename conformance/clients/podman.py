"""podman, as far as it goes without running a container."""

from __future__ import annotations

import json
from pathlib import Path

from conformance.clients import samples
from conformance.clients.client import left_out
from conformance.clients.containers import LARGE_BY_SKOPEO, ONLY_IMAGES, PLAIN, LocalImages
from conformance.clients.scene import Scene

TAGS_MAX = "1000000"


class Podman(LocalImages):
    """Imports a directory as an image; no service, no events, no control groups."""

    name = "podman"
    cannot = left_out(
        {"deletes images of this machine, none of a registry": ("delete_by_tag", "delete_by_digest")},
        LARGE_BY_SKOPEO,
        ONLY_IMAGES,
    )
    quiet = ("--cgroup-manager", "cgroupfs", "--events-backend", "none")

    def made_of(self, scene: Scene, content: Path) -> str:
        layer = samples.pack(content, scene.workspace / "layer.tar")
        return self.box(scene, "import", "--quiet", str(layer)).splitlines()[-1]

    def pull(self, scene: Scene, reference: str) -> Path:
        self.box(scene, "pull", "--quiet", PLAIN, scene.at(reference), store="other")
        return Path(self.box(scene, "image", "mount", scene.at(reference), store="other"))

    def tags(self, scene: Scene) -> list[str]:
        shown = ("--list-tags", "--limit", TAGS_MAX, "--format", "json")
        (found,) = json.loads(self.box(scene, "search", PLAIN, *shown, scene.name))
        return list(found["Tags"])
