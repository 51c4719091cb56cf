"""cosign, in both major versions that people have: signatures, attestations and SBOMs, with a key and no network."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Literal

from conformance.clients.client import NO_CHARTS, ONLY_SIGNS, GoClient, Layout, left_out
from conformance.clients.scene import Scene
from conformance.tools import COSIGN, COSIGN_2, install

NO_TRANSPARENCY_LOG = "--insecure-ignore-tlog=true"
OCI_1_1 = ("--registry-referrers-mode", "oci-1-1")
_EXPERIMENTS: Mapping[Layout, Mapping[str, str]] = {"oci-1-1": {"COSIGN_EXPERIMENTAL": "1"}}
_REFUSALS = ("invalid signature", "no matching", "could not verify", "no signatures found")
Options = Mapping[Layout, Sequence[str]]


class Cosign(GoClient):
    """What both versions do in the same way; how they sign is their own."""

    cannot = left_out(ONLY_SIGNS, NO_CHARTS)
    signing: ClassVar[Options]
    verifying: ClassVar[Options]

    def install(self) -> str:
        for tool in (COSIGN, COSIGN_2):
            install(tool)
        return self.tool.version

    def make_keys(self, scene: Scene) -> None:
        for prefix in ("cosign", "other"):
            self.run(scene, "generate-key-pair", "--output-key-prefix", prefix)
        # Both empty: nothing is to be uploaded, and nobody but the key is trusted. Version 3 has the commands.
        scene.run(COSIGN.path, "signing-config", "create", "--out", "signing-config.json")
        scene.run(COSIGN.path, "trusted-root", "create", "--out", "trusted-root.json")

    def sign(self, scene: Scene, subject: str, layout: Layout, *, other_key: bool = False) -> str:
        key = "other.key" if other_key else "cosign.key"
        self._cosign(scene, layout, "sign", "--key", key, "--yes", *self.signing[layout], scene.at(subject))
        return _via(layout)

    def verifies(self, scene: Scene, subject: str, layout: Layout, *, other_key: bool = False) -> bool:
        return self._finds(scene, layout, "verify", *_key(other_key), scene.at(subject))

    def remove_signatures(self, scene: Scene, subject: str) -> None:
        self.run(scene, "clean", "--force", "--type", "all", scene.at(subject))

    def attest(self, scene: Scene, subject: str, statement: Path, layout: Layout) -> str:
        what = ("--key", "cosign.key", "--yes", "--predicate", str(statement), "--type", "slsaprovenance1")
        self._cosign(scene, layout, "attest", *what, *self.signing[layout], scene.at(subject))
        return _via(layout)

    def verifies_attestation(self, scene: Scene, subject: str, layout: Layout, *, other_key: bool = False) -> bool:
        what = ("verify-attestation", "--type", "slsaprovenance1")
        return self._finds(scene, layout, *what, *_key(other_key), scene.at(subject))

    def attach_sbom(self, scene: Scene, subject: str, file: Path) -> str:
        what = ("--sbom", str(file), "--type", "spdx", "--input-format", "json")
        self.run(scene, "attach", "sbom", *what, scene.at(subject))
        return "tag"

    def copy_all(self, scene: Scene, tag: str, target: Scene) -> set[str]:
        self.run(scene, "copy", scene.at(tag), target.at(tag))
        return {"tag"}

    def _cosign(self, scene: Scene, layout: Layout, *arguments: str) -> str:
        return scene.run(self.tool.path, *arguments, extra=_EXPERIMENTS.get(layout))

    def _finds(self, scene: Scene, layout: Layout, *arguments: str) -> bool:
        """Whether it verifies exactly one signature; a refusal has to be about signatures, not about the registry."""
        arguments = (*arguments, *self.verifying[layout])
        answer = scene.attempt(self.tool.path, *arguments, extra=_EXPERIMENTS.get(layout))
        if answer.returncode != 0 and not any(words in answer.stderr for words in _REFUSALS):
            self._cosign(scene, layout, *arguments)
        return answer.returncode == 0 and len(_documents(answer.stdout)) == 1


class Cosign3(Cosign):
    """Signs with bundles that name their subject, unless it is told to do as version 2 did."""

    name = "cosign 3"
    default_layout = "referrer"
    tool = COSIGN
    signing: ClassVar[Options] = {
        "referrer": ("--signing-config", "signing-config.json", "--trusted-root", "trusted-root.json"),
        "oci-1-1": (*OCI_1_1, "--use-signing-config=false", "--new-bundle-format=false", "--tlog-upload=false"),
        "tag": ("--use-signing-config=false", "--new-bundle-format=false", "--tlog-upload=false"),
    }
    verifying: ClassVar[Options] = {
        "referrer": (NO_TRANSPARENCY_LOG,),
        "oci-1-1": (NO_TRANSPARENCY_LOG, "--experimental-oci11"),
        "tag": (NO_TRANSPARENCY_LOG,),
    }


class Cosign2(Cosign):
    """Signs with tags, unless it is told to make the bundles that became version 3's way."""

    name = "cosign 2"
    default_layout = "tag"
    tool = COSIGN_2
    signing: ClassVar[Options] = {
        "referrer": ("--new-bundle-format", "--tlog-upload=false"),
        "oci-1-1": (*OCI_1_1, "--tlog-upload=false"),
        "tag": ("--tlog-upload=false",),
    }
    verifying: ClassVar[Options] = {
        "referrer": ("--new-bundle-format", "--trusted-root", "trusted-root.json", NO_TRANSPARENCY_LOG),
        "oci-1-1": (NO_TRANSPARENCY_LOG, "--experimental-oci11"),
        "tag": (NO_TRANSPARENCY_LOG,),
    }


def _via(layout: Layout) -> Literal["subject", "tag"]:
    return "tag" if layout == "tag" else "subject"


def _key(other: bool) -> tuple[str, str]:
    return "--key", "other.pub" if other else "cosign.pub"


def _documents(text: str) -> list[object]:
    """What `verify` prints: a list of signatures; `verify-attestation`: one statement a line."""
    found = [json.loads(line) for line in text.splitlines() if line.strip()]
    return list(found[0]) if len(found) == 1 and isinstance(found[0], list) else found
