"""cosign, in both major versions that people have: signatures, attestations and SBOMs, with a key and no network."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Literal

from conformance.clients.client import NO_CHARTS, ONLY_SIGNS, GoClient, Layout, left_out
from conformance.clients.scene import Scene
from conformance.tools import COSIGN, COSIGN_2

NO_TRANSPARENCY_LOG = "--insecure-ignore-tlog=true"
Options = Mapping[Layout, Sequence[str]]


class Cosign(GoClient):
    """What both versions do in the same way; how they sign is their own."""

    cannot = left_out(ONLY_SIGNS, NO_CHARTS)
    signing: ClassVar[Options]
    verifying: ClassVar[Options]

    def make_keys(self, scene: Scene) -> None:
        for prefix in ("cosign", "other"):
            self.run(scene, "generate-key-pair", "--output-key-prefix", prefix)
        # Both empty: nothing is to be uploaded, and nobody but the key is trusted. Version 3 has the commands.
        scene.run(COSIGN.path, "signing-config", "create", "--out", "signing-config.json")
        scene.run(COSIGN.path, "trusted-root", "create", "--out", "trusted-root.json")

    def sign(self, scene: Scene, subject: str, layout: Layout) -> str:
        self.run(scene, "sign", "--key", "cosign.key", "--yes", *self.signing[layout], scene.at(subject))
        return _via(layout)

    def verifies(self, scene: Scene, subject: str, layout: Layout, *, other_key: bool = False) -> bool:
        return self._finds(scene, "verify", *self.verifying[layout], *_key(other_key), scene.at(subject))

    def attest(self, scene: Scene, subject: str, statement: Path, layout: Layout) -> str:
        what = ("--predicate", str(statement), "--type", "slsaprovenance1")
        self.run(scene, "attest", "--key", "cosign.key", "--yes", *what, *self.signing[layout], scene.at(subject))
        return _via(layout)

    def verifies_attestation(self, scene: Scene, subject: str, layout: Layout, *, other_key: bool = False) -> bool:
        what = ("verify-attestation", "--type", "slsaprovenance1")
        return self._finds(scene, *what, *self.verifying[layout], *_key(other_key), scene.at(subject))

    def attach_sbom(self, scene: Scene, subject: str, file: Path) -> str:
        what = ("--sbom", str(file), "--type", "spdx", "--input-format", "json")
        self.run(scene, "attach", "sbom", *what, scene.at(subject))
        return "tag"

    def _finds(self, scene: Scene, *arguments: str) -> bool:
        """Whether it verifies exactly one signature; a refusal has to be about signatures, not about the registry."""
        answer = scene.attempt(self.tool.path, *arguments)
        if answer.returncode == 0:
            return len(_documents(answer.stdout)) == 1
        refused = any(words in answer.stderr for words in ("invalid signature", "no matching", "could not verify"))
        if not refused:
            self.run(scene, *arguments)
        return False


class Cosign3(Cosign):
    """Signs with bundles that name their subject, unless it is told to do as version 2 did."""

    name = "cosign 3"
    tool = COSIGN
    signing: ClassVar[Options] = {
        "referrer": ("--signing-config", "signing-config.json", "--trusted-root", "trusted-root.json"),
        "tag": ("--use-signing-config=false", "--new-bundle-format=false", "--tlog-upload=false"),
    }
    verifying: ClassVar[Options] = {"referrer": (NO_TRANSPARENCY_LOG,), "tag": (NO_TRANSPARENCY_LOG,)}


class Cosign2(Cosign):
    """Signs with tags, unless it is told to make the bundles that became version 3's way."""

    name = "cosign 2"
    tool = COSIGN_2
    signing: ClassVar[Options] = {
        "referrer": ("--new-bundle-format", "--tlog-upload=false"),
        "tag": ("--tlog-upload=false",),
    }
    verifying: ClassVar[Options] = {
        "referrer": ("--new-bundle-format", "--trusted-root", "trusted-root.json", NO_TRANSPARENCY_LOG),
        "tag": (NO_TRANSPARENCY_LOG,),
    }


def _via(layout: Layout) -> Literal["subject", "tag"]:
    return "subject" if layout == "referrer" else "tag"


def _key(other: bool) -> tuple[str, str]:
    return "--key", "other.pub" if other else "cosign.pub"


def _documents(text: str) -> list[object]:
    """What `verify` prints: a list of signatures; `verify-attestation`: one statement a line."""
    found = [json.loads(line) for line in text.splitlines() if line.strip()]
    return list(found[0]) if len(found) == 1 and isinstance(found[0], list) else found
