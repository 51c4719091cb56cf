"""What a client is to the scenarios: a program of one version, what it can do, and why it cannot do the rest."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import ClassVar, Literal

from conformance.clients.scene import Scene, StepFailed
from conformance.tools import Tool, ToolMissing, install

Layout = Literal["referrer", "oci-1-1", "tag"]
"""How a signature is tied to what it signs: by a manifest with a `subject`, which holds a Sigstore bundle or, in
cosign's experiment of that name, what the tag would; or by a tag made of the digest."""

Reasons = Mapping[str, Sequence[str]]
"""Why something does not apply, and to which scenarios."""

TRANSFER = (
    *("push_and_pull", "tag", "list_tags", "copy_with_mount", "push_index", "delete_by_tag", "delete_by_digest"),
    *("large_blob", "push_after_cut", "resume_push", "resume_pull"),
)
REFERRING = ("attach_and_discover", "attach_sbom", "copy_with_referrers")
SIGNING = (
    *("sign_as_referrer", "sign_as_oci_1_1", "sign_by_tag", "sign_twice", "remove_signatures"),
    *("attest_as_referrer", "attest_by_tag"),
)
"""Scenarios that are often left out together."""

NO_SIGNING: Reasons = {"has no command to sign with": SIGNING}
NO_REFERRERS: Reasons = {"has no command for what refers to an artifact": REFERRING}
NO_CHARTS: Reasons = {"charts are Helm's own": ("chart_with_plus",)}
NO_RESUME: Reasons = {"gives up when a connection breaks": ("resume_push", "resume_pull")}
ONLY_SIGNS: Reasons = {"signs what other clients push": (*TRANSFER, "attach_and_discover")}


def left_out(*reasons: Reasons) -> Mapping[str, str]:
    """The scenarios that a client is not put through, and why; what comes first counts."""
    named = [(scenario, why) for each in reasons for why, scenarios in each.items() for scenario in scenarios]
    return dict(reversed(named))


FILES: Mapping[str, bytes] = {
    "readme.txt": b"pushed by a client\n",
    "data/numbers.bin": bytes(range(256)) * 300,
    "data/deep/résumé 1.txt": b"a name with a space and accents\n",
}


class Client:
    """A program that people use against a registry.

    Each operation is what its documentation tells users to type. One that a client has not got fails, so that a
    scenario is left out only by a reason in `cannot`, under the scenario's name.
    """

    name: ClassVar[str]
    source: ClassVar[str]
    """Where the program comes from, for the page."""
    default_layout: ClassVar[Layout]
    """How it signs when it is not told how."""
    cannot: ClassVar[Mapping[str, str]] = {}
    files: ClassVar[Mapping[str, bytes]] = FILES
    """What its content is made of, but for one file that differs from scene to scene."""
    kind: ClassVar[str]
    """Of the packages that it pushes."""
    names_files: ClassVar[bool] = False
    """Whether what it pushes says which layer is which file."""

    large_body: ClassVar[str] = ""
    """The transfer encoding in which it sends a large blob; empty where it says the length instead."""
    sends_as_is: ClassVar[bool] = True
    """Whether a large blob is pushed as it is, not compressed."""

    def install(self) -> str:
        """Make sure that the program is there, and return its version. Raises ToolMissing."""
        raise NotImplementedError

    def content(self, scene: Scene) -> Path:
        """A directory with what this client is to push."""
        folder = scene.folder("content")
        for path, data in self.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
        # Unlike that of any other scene, so that nobody can mount it from elsewhere.
        (folder / "repository.txt").write_text(scene.repository)
        return folder

    def push(self, scene: Scene, tag: str, content: Path) -> None:
        """Push a directory."""
        raise self._unable("push")

    def pull(self, scene: Scene, reference: str) -> Path:
        """Pull what was pushed, and return the directory that holds the same files."""
        raise self._unable("pull")

    def push_large(self, scene: Scene, tag: str, file: Path) -> None:
        """Push an artifact whose one layer is this file, as it is."""
        raise self._unable("push_large")

    def put_blob(self, scene: Scene, file: Path) -> None:
        """Push a blob alone."""
        raise self._unable("put_blob")

    def get_blob(self, scene: Scene, digest: str, target: Path) -> None:
        """Pull a blob alone."""
        raise self._unable("get_blob")

    def tag(self, scene: Scene, old: str, new: str) -> None:
        """Give what one tag names another tag too."""
        raise self._unable("tag")

    def tags(self, scene: Scene) -> list[str]:
        """Every tag, in the order in which the client shows them."""
        raise self._unable("tags")

    def copy(self, scene: Scene, tag: str, target: Scene) -> None:
        """Copy what a tag names to another repository of the same registry."""
        raise self._unable("copy")

    def copy_all(self, scene: Scene, tag: str, target: Scene) -> set[str]:
        """Copy an artifact with what refers to it; returns the ways of referring that this client takes along."""
        raise self._unable("copy_all")

    def push_index(self, scene: Scene, tag: str, members: Sequence[str]) -> None:
        """Make an index of the images with these tags, and push it."""
        raise self._unable("push_index")

    def attach(self, scene: Scene, subject: str, file: Path, artifact_type: str) -> None:
        """Attach a file to the artifact with this digest."""
        raise self._unable("attach")

    def discover(self, scene: Scene, subject: str) -> list[str]:
        """The digests of what is attached to an artifact."""
        raise self._unable("discover")

    def attach_sbom(self, scene: Scene, subject: str, file: Path) -> str:
        """Attach an SPDX document, and return how the registry should say that it is tied to its subject."""
        self.attach(scene, subject, file, "application/spdx+json")
        return "subject"

    def make_keys(self, scene: Scene) -> None:
        """Make two keys to sign with: the one that signs, and another."""
        raise self._unable("make_keys")

    def sign(self, scene: Scene, subject: str, layout: Layout, *, other_key: bool = False) -> str:
        """Sign an artifact, and return how the registry should say that the signature is tied to it."""
        raise self._unable("sign")

    def verifies(self, scene: Scene, subject: str, layout: Layout, *, other_key: bool = False) -> bool:
        """Whether the artifact has a signature by the key that signs, or by the other one."""
        raise self._unable("verifies")

    def remove_signatures(self, scene: Scene, subject: str) -> None:
        """Remove every signature that an artifact has."""
        raise self._unable("remove_signatures")

    def attest(self, scene: Scene, subject: str, statement: Path, layout: Layout) -> str:
        """Sign a SLSA provenance statement about an artifact; returns the same as `sign`."""
        raise self._unable("attest")

    def verifies_attestation(self, scene: Scene, subject: str, layout: Layout, *, other_key: bool = False) -> bool:
        """Whether the artifact has a statement by the key that signs, or by the other one."""
        raise self._unable("verifies_attestation")

    def delete_tag(self, scene: Scene, tag: str) -> Literal["tag", "manifest"]:
        """Delete what a tag names, and return what this client takes that to be."""
        raise self._unable("delete_tag")

    def delete_digest(self, scene: Scene, digest: str) -> None:
        """Delete the manifest with this digest."""
        raise self._unable("delete_digest")

    def _unable(self, operation: str) -> StepFailed:
        return StepFailed(f"{self.name} has no operation {operation!r} here, and no reason is given why")


class GoClient(Client):
    """A client that is built from its Go module."""

    tool: ClassVar[Tool]
    source = "Go module"

    def install(self) -> str:
        install(self.tool)
        return self.tool.version

    def run(self, scene: Scene, *arguments: str, cwd: Path | None = None) -> str:
        """Run the client; its standard output."""
        return scene.run(self.tool.path, *arguments, cwd=cwd)


class SystemClient(Client):
    """A client from the distribution's packages; the version is the distribution's."""

    source = "Debian package"

    def install(self) -> str:
        program = shutil.which(self.name)
        if program is None:
            raise ToolMissing(f"{self.name} is not installed; on Debian: apt-get install {self.name}")
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
        found = re.search(r"version (\S+)", said)
        if found is None:
            raise ToolMissing(f"{program} --version names no version: {said!r}")
        return found[1]


class PythonClient(Client):
    """A client that is a Python package of the development environment."""

    distribution: ClassVar[str]
    source = "Python package"

    def install(self) -> str:
        try:
            return metadata.version(self.distribution)
        except metadata.PackageNotFoundError:
            raise ToolMissing(f"{self.distribution} is not installed; `make install` does that") from None
