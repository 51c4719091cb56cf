"""oras-py: artifacts from Python."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from conformance.clients import native, samples
from conformance.clients.client import NO_CHARTS, NO_RESUME, NO_SIGNING, PythonClient, left_out
from conformance.clients.scene import Scene

CALL = """
import json, sys, oras.client, oras.oci
client = oras.client.OrasClient(hostname=sys.argv[1], insecure=True)
arguments = json.loads(sys.argv[3])
if "container" in arguments:
    arguments["container"] = client.get_container(arguments["container"])
if "subject" in arguments:
    arguments["subject"] = oras.oci.Subject(**arguments["subject"])
print(json.dumps(getattr(client, sys.argv[2])(**arguments), default=str))
"""
"""What a program that uses the library would say, for one call of it."""


class OrasPy(PythonClient):
    """The ORAS project's Python library. It keeps file names only, not their directories."""

    name = "oras-py"
    distribution = "oras"
    kind = "application/vnd.unknown.config.v1+json"
    names_files = True
    files: ClassVar[Mapping[str, bytes]] = {"a.txt": b"pushed from Python\n", "b.bin": bytes(range(256)) * 300}
    cannot = left_out(
        {
            "holds a whole file in memory": ("large_blob",),
            "has no call to copy, and never mounts": ("copy_with_mount", "copy_with_referrers"),
            "has no call for indexes": ("push_index",),
            "has no call to list what is attached": ("attach_and_discover",),
            "has a call to delete tags only": ("delete_by_digest",),
        },
        NO_SIGNING,
        NO_CHARTS,
        NO_RESUME,
    )

    def push(self, scene: Scene, tag: str, content: Path) -> None:
        self._call(
            scene, "push", target=scene.at(tag), files=sorted(path.name for path in content.iterdir()), cwd=content
        )

    def pull(self, scene: Scene, reference: str) -> Path:
        self._call(scene, "pull", target=scene.at(reference), outdir=str(scene.folder("pulled")))
        return scene.workspace / "pulled"

    def tag(self, scene: Scene, old: str, new: str) -> None:
        manifest = self._call(scene, "get_manifest", container=scene.at(old))
        self._call(scene, "upload_manifest", manifest=manifest, container=scene.at(new))

    def tags(self, scene: Scene) -> list[str]:
        return list(self._call(scene, "get_tags", container=scene.name))

    def attach_sbom(self, scene: Scene, subject: str, file: Path) -> str:
        named = samples.descriptor(native.manifest_bytes(scene, subject), samples.MANIFEST)
        (scene.workspace / "config.json").write_text("{}")
        kind = "config.json:application/spdx+json"
        self._call(scene, "push", target=scene.at("sbom"), files=[file.name], manifest_config=kind, subject=named)
        return "subject"

    def delete_tag(self, scene: Scene, tag: str) -> Literal["tag", "manifest"]:
        self._call(scene, "delete_tag", container=scene.name, tag=tag)
        return "manifest"

    def _call(self, scene: Scene, name: str, *, cwd: Path | None = None, **arguments: Any) -> Any:
        said = scene.run(sys.executable, "-c", CALL, scene.registry.host, name, json.dumps(arguments), cwd=cwd)
        return json.loads(said.splitlines()[-1])
