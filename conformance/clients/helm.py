"""helm: charts, whose versions may hold a `+` that no tag may hold."""

from __future__ import annotations

from pathlib import Path

from conformance.clients.client import REFERRING, SIGNING, TRANSFER, GoClient, left_out
from conformance.clients.scene import Scene
from conformance.tools import HELM_3, HELM_4

NOT_OF_CHARTS = tuple(name for name in TRANSFER if name != "push_and_pull")


class Helm(GoClient):
    """Kubernetes' package manager; both versions have the same commands."""

    kind = "application/vnd.cncf.helm.config.v1+json"
    cannot = left_out(
        {"moves charts by name and version, and nothing else": (*NOT_OF_CHARTS, *REFERRING)},
        {"signs charts with PGP, as a part of what it pushes": SIGNING},
    )

    def content(self, scene: Scene) -> Path:
        return self.chart(scene, "1.2.3")

    def chart(self, scene: Scene, version: str) -> Path:
        """A directory with a packed chart of this version, named as its repository is."""
        chart = scene.repository.rpartition("/")[2]
        self.run(scene, "create", chart)
        self.run(scene, "package", chart, "--version", version, "--destination", f"packed-{version}")
        return scene.workspace / f"packed-{version}"

    def push(self, scene: Scene, tag: str, content: Path) -> None:
        (packed,) = content.iterdir()
        self.run(scene, "push", "--plain-http", str(packed), f"oci://{scene.name.rpartition('/')[0]}")

    def pull(self, scene: Scene, reference: str) -> Path:
        return self.pull_version(scene, reference)

    def pull_version(self, scene: Scene, version: str) -> Path:
        """Pull the chart of this version, or the newest that a range of versions allows."""
        target = scene.folder("pulled")
        self.run(
            scene,
            *("pull", "--plain-http", f"oci://{scene.name}", "--version", version, "--destination", str(target)),
        )
        return target


class Helm4(Helm):
    """The version that people begin with."""

    name = "helm 4"
    tool = HELM_4


class Helm3(Helm):
    """The version that people still have."""

    name = "helm 3"
    tool = HELM_3
