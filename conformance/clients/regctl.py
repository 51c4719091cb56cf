"""regctl: the strictest user of the chunk protocol."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from conformance.clients.client import NO_CHARTS, NO_SIGNING, GoClient, left_out
from conformance.clients.evidence import read_tree
from conformance.clients.samples import KIND
from conformance.clients.scene import Scene
from conformance.tools import REGCTL

OCTETS = "application/octet-stream"


class Regctl(GoClient):
    """regclient's command line."""

    name = "regctl"
    tool = REGCTL
    kind = KIND
    names_files = True
    cannot = left_out(NO_SIGNING, NO_CHARTS)

    def push(self, scene: Scene, tag: str, content: Path) -> None:
        files = [word for path in read_tree(content) for word in ("--file", path)]
        types = ["--file-media-type", OCTETS] * (len(files) // 2)
        named = ("--artifact-type", KIND, "--file-title", *files, *types)
        self._regctl(scene, "artifact", "put", *named, scene.at(tag), cwd=content)

    def pull(self, scene: Scene, reference: str) -> Path:
        self._regctl(scene, "artifact", "get", "--output", str(scene.folder("pulled")), scene.at(reference))
        return scene.workspace / "pulled"

    def push_large(self, scene: Scene, tag: str, file: Path) -> None:
        named = ("--artifact-type", KIND, "--file-title", "--file", file.name, "--file-media-type", OCTETS)
        self._regctl(scene, "artifact", "put", *named, scene.at(tag), cwd=file.parent)

    def put_blob(self, scene: Scene, file: Path) -> None:
        self._shell(scene, f'"$0" "$@" < "{file}"', "blob", "put", scene.name)

    def get_blob(self, scene: Scene, digest: str, target: Path) -> None:
        self._shell(scene, f'"$0" "$@" > "{target}"', "blob", "get", scene.name, digest)

    def tag(self, scene: Scene, old: str, new: str) -> None:
        self._regctl(scene, "image", "copy", scene.at(old), scene.at(new))

    def tags(self, scene: Scene) -> list[str]:
        return self._regctl(scene, "tag", "ls", scene.name).split()

    def copy(self, scene: Scene, tag: str, target: Scene) -> None:
        self._regctl(scene, "image", "copy", scene.at(tag), target.at(tag))

    def copy_all(self, scene: Scene, tag: str, target: Scene) -> set[str]:
        self._regctl(scene, "image", "copy", "--referrers", "--digest-tags", scene.at(tag), target.at(tag))
        return {"subject", "tag"}

    def push_index(self, scene: Scene, tag: str, members: Sequence[str]) -> None:
        listed = [word for member in members for word in ("--ref", scene.at(member))]
        self._regctl(scene, "index", "create", *listed, scene.at(tag))

    def attach(self, scene: Scene, subject: str, file: Path, artifact_type: str) -> None:
        named = ("--artifact-type", artifact_type, "--subject", scene.at(subject))
        self._regctl(scene, "artifact", "put", *named, "--file", str(file), "--file-media-type", "application/json")

    def discover(self, scene: Scene, subject: str) -> list[str]:
        said = json.loads(self._regctl(scene, "artifact", "list", "--format", "body", scene.at(subject)))
        return [referrer["digest"] for referrer in said["manifests"]]

    def delete_tag(self, scene: Scene, tag: str) -> Literal["tag", "manifest"]:
        self._regctl(scene, "tag", "delete", scene.at(tag))
        return "tag"

    def delete_digest(self, scene: Scene, digest: str) -> None:
        self._regctl(scene, "manifest", "delete", scene.at(digest))

    def _regctl(self, scene: Scene, *arguments: str, cwd: Path | None = None) -> str:
        return self.run(scene, *arguments, *_plain(scene), cwd=cwd)

    def _shell(self, scene: Scene, line: str, *arguments: str) -> None:
        """For what regctl reads from its standard input or writes to its standard output only."""
        scene.run("sh", "-c", line, str(self.tool.path), *arguments, *_plain(scene))


def _plain(scene: Scene) -> tuple[str, str]:
    return "--host", f"reg={scene.registry.host},tls=disabled"
