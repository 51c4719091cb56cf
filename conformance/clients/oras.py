"""oras: artifacts as files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from conformance.clients.client import NO_CHARTS, NO_RESUME, NO_SIGNING, GoClient, left_out
from conformance.clients.evidence import read_tree
from conformance.clients.samples import KIND
from conformance.clients.scene import Scene
from conformance.tools import ORAS


class Oras(GoClient):
    """The reference client for artifacts."""

    name = "oras"
    tool = ORAS
    kind = KIND
    names_files = True
    cannot = left_out(NO_SIGNING, NO_CHARTS, NO_RESUME)

    def push(self, scene: Scene, tag: str, content: Path) -> None:
        files = [f"{path}:application/octet-stream" for path in read_tree(content)]
        self._oras(scene, "push", "--artifact-type", KIND, scene.at(tag), "--", *files, cwd=content)

    def pull(self, scene: Scene, reference: str) -> Path:
        self._oras(scene, "pull", "--output", "pulled", scene.at(reference))
        return scene.workspace / "pulled"

    def tag(self, scene: Scene, old: str, new: str) -> None:
        self.run(scene, "tag", "--plain-http", scene.at(old), new)

    def tags(self, scene: Scene) -> list[str]:
        return self.run(scene, "repo", "tags", "--plain-http", scene.name).split()

    def copy(self, scene: Scene, tag: str, target: Scene) -> None:
        plain = ("--from-plain-http", "--to-plain-http")
        self.run(scene, "cp", "--no-tty", *plain, scene.at(tag), target.at(tag))

    def copy_all(self, scene: Scene, tag: str, target: Scene) -> set[str]:
        plain = ("--from-plain-http", "--to-plain-http")
        self.run(scene, "cp", "--recursive", "--no-tty", *plain, scene.at(tag), target.at(tag))
        return {"subject"}

    def push_index(self, scene: Scene, tag: str, members: Sequence[str]) -> None:
        self.run(scene, "manifest", "index", "create", "--plain-http", scene.at(tag), *members)

    def attach(self, scene: Scene, subject: str, file: Path, artifact_type: str) -> None:
        named = f"{file.name}:application/json"
        self._oras(scene, "attach", "--artifact-type", artifact_type, scene.at(subject), "--", named, cwd=file.parent)

    def discover(self, scene: Scene, subject: str) -> list[str]:
        said = json.loads(self.run(scene, "discover", "--plain-http", "--format", "json", scene.at(subject)))
        return [referrer["digest"] for referrer in said["referrers"]]

    def delete_tag(self, scene: Scene, tag: str) -> Literal["tag", "manifest"]:
        self.delete_digest(scene, tag)
        return "manifest"

    def delete_digest(self, scene: Scene, digest: str) -> None:
        self.run(scene, "manifest", "delete", "--plain-http", "--force", scene.at(digest))

    def _oras(self, scene: Scene, command: str, *arguments: str, cwd: Path | None = None) -> str:
        return self.run(scene, command, "--plain-http", "--no-tty", *arguments, cwd=cwd)

    def push_large(self, scene: Scene, tag: str, file: Path) -> None:
        named = f"{file.name}:application/octet-stream"
        self._oras(scene, "push", "--artifact-type", KIND, scene.at(tag), "--", named, cwd=file.parent)
