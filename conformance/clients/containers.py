"""What skopeo, buildah and podman share: one library for images, and one way to keep them locally."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from conformance.clients import samples
from conformance.clients.client import NO_CHARTS, NO_REFERRERS, NO_RESUME, SIGNING, Reasons, SystemClient
from conformance.clients.scene import Scene

PLAIN = "--tls-verify=false"


ONLY_IMAGES: Reasons = {
    **NO_REFERRERS,
    "is built without Sigstore signing by Debian": SIGNING,
    **NO_CHARTS,
    **NO_RESUME,
}
LARGE_BY_SKOPEO: Reasons = {"pushes with the library of skopeo, which does it here": ("large_blob",)}


class ContainersClient(SystemClient):
    """A client built upon containers/image."""

    kind = samples.IMAGE_CONFIG


class LocalImages(ContainersClient):
    """A client that pushes from a store of its own on this machine: plain directories, no daemon, no namespaces."""

    def box(self, scene: Scene, *arguments: str, store: str = "store") -> str:
        """Run the client upon one of the scene's stores; its standard output without the end of the line."""
        folder = scene.workspace / store
        where = ("--root", str(folder / "root"), "--runroot", str(folder / "run"), "--storage-driver", "vfs")
        return scene.run(self.name, *where, *self.quiet, *arguments).strip()

    quiet: tuple[str, ...] = ()

    def push(self, scene: Scene, tag: str, content: Path) -> None:
        self.box(scene, "tag", self.made_of(scene, content), scene.at(tag))
        self.box(scene, "push", PLAIN, scene.at(tag), f"docker://{scene.at(tag)}")

    def made_of(self, scene: Scene, content: Path) -> str:
        """An image in the store that holds this directory."""
        raise NotImplementedError

    def tag(self, scene: Scene, old: str, new: str) -> None:
        self.box(scene, "push", PLAIN, scene.at(old), f"docker://{scene.at(new)}")

    def push_index(self, scene: Scene, tag: str, members: Sequence[str]) -> None:
        self.box(scene, "manifest", "create", "several")
        for member in members:
            self.box(scene, "manifest", "add", PLAIN, "several", f"docker://{scene.at(member)}")
        self.box(scene, "manifest", "push", "--all", PLAIN, "several", f"docker://{scene.at(tag)}")

    def copy(self, scene: Scene, tag: str, target: Scene) -> None:
        self.box(scene, "push", PLAIN, scene.at(tag), f"docker://{target.at(tag)}")
