"""The main job on real input: oras pushes a directory, crane copies it, cosign signs it, the native API knows it.

`make smoke DIR=...` runs every step against one worker and against two worker
processes, with the real programs and no network beyond loopback.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from conformance.clients import native
from conformance.clients.cosign import Cosign3
from conformance.clients.crane import Crane
from conformance.clients.evidence import FileFacts, read_tree, tree_differences
from conformance.clients.oras import Oras
from conformance.clients.scene import Registry, Scene, StepFailed, expect, expect_equal, open_scene
from conformance.server import ServerFailed, exit_on_terminate, serving
from conformance.tools import ToolMissing

RESULTS = Path(__file__).resolve().parent / "results"
REPOSITORY = "smoke/evidence"
TAG = "run-1"
ORAS, CRANE, COSIGN = Oras(), Crane(), Cosign3()


@dataclass(frozen=True)
class Story:
    """What the steps share: a scene, and the directory that is pushed in it."""

    scene: Scene
    directory: Path
    files: dict[str, FileFacts]

    def digest(self) -> str:
        """The digest that the pushed artifact has now."""
        return native.manifest(self.scene, TAG)[0]


def oras_pushes(story: Story) -> str:
    """oras pushes every file under its relative path"""
    ORAS.push(story.scene, TAG, story.directory)
    return f"{len(story.files)} files, {sum(file.size for file in story.files.values())} bytes"


def oras_pulls(story: Story) -> str:
    """oras pull gives the same tree back"""
    found = read_tree(ORAS.pull(story.scene, TAG))
    differences = tree_differences(story.files, found)
    expect(not differences, "the pulled tree differs: " + "; ".join(differences[:10]))
    return f"{len(found)} files, byte for byte"


def crane_copies(story: Story) -> str:
    """crane copies the artifact to another repository"""
    copy = story.scene.aside("copy")
    CRANE.copy(story.scene, TAG, copy)
    expect_equal(native.manifest(copy, TAG)[0], story.digest(), "the copy's digest")
    return story.digest()


def crane_lists(story: Story) -> str:
    """crane lists the tags and the catalog"""
    copy = story.scene.aside("copy")
    expect_equal(CRANE.tags(copy), [TAG], "the copy's tags")
    catalog = CRANE.run(story.scene, "catalog", story.scene.registry.host).split()
    expect_equal(catalog, sorted([copy.repository, REPOSITORY]), "the catalog")
    return " ".join(catalog)


def cosign_signs(story: Story) -> str:
    """cosign signs the artifact by digest with a key"""
    COSIGN.make_keys(story.scene)
    COSIGN.sign(story.scene, story.digest(), "referrer")
    return f"{REPOSITORY}@{story.digest()}"


def cosign_verifies(story: Story) -> str:
    """cosign verifies the signature, and refuses another key"""
    expect(COSIGN.verifies(story.scene, story.digest(), "referrer"), "the key that signed does not verify the artifact")
    refused = not COSIGN.verifies(story.scene, story.digest(), "referrer", other_key=True)
    expect(refused, "a key that did not sign verifies the artifact")
    return "1 signature"


def native_package(story: Story) -> str:
    """the native API shows the artifact as a package"""
    native.expect_package(story.scene, TAG, ORAS.kind)
    package = story.scene.registry.get(native.package_path(story.scene, TAG))
    facts = FileFacts.of(native.manifest_bytes(story.scene, TAG))
    expect_equal(package["repository"], REPOSITORY, "the package's repository")
    expect_equal(package["tags"], [TAG], "the package's tags")
    found = {name: package["digests"].get(name) for name in ("blake3", "sha256")}
    expect_equal(found, {"blake3": facts.blake3, "sha256": facts.sha256}, "the package's digests")
    return facts.blake3


def native_files(story: Story) -> str:
    """the native API shows every file with both digests"""
    native.expect_tree(story.scene, TAG, story.files)
    return f"{len(story.files)} files, blake3 and sha256 as computed here"


def native_signature(story: Story) -> str:
    """the native API shows the signature beside the package"""
    signature = native.expect_attached(story.scene, story.digest(), "signature", "subject")
    return f"{signature['artifact_type']} via {signature['via']}"


def oras_reads_our_layout(story: Story) -> str:
    """oras takes the artifact and its signature from our export"""
    copy = story.scene.aside("by-oras")
    ours(story, "export", f"{REPOSITORY}:{TAG}", "exported.tar")
    options = ("--recursive", "--no-tty", "--from-oci-layout", "--to-plain-http")
    ORAS.run(story.scene, "cp", *options, f"exported.tar:{TAG}", copy.at(TAG))
    expect_equal(native.manifest(copy, TAG)[0], story.digest(), "the digest")
    native.expect_attached(copy, story.digest(), "signature", "subject")
    return "exported.tar"


def crane_reads_our_layout(story: Story) -> str:
    """crane takes the artifact from our export"""
    copy = story.scene.aside("by-crane")
    ours(story, "export", "--without-referrers", f"{REPOSITORY}:{TAG}", "exported")
    CRANE.run(story.scene, "push", "exported", copy.at(TAG))
    expect_equal(native.manifest(copy, TAG)[0], story.digest(), "the digest")
    return "exported/"


def we_read_layout_of_oras(story: Story) -> str:
    """we take the artifact and its signature from a layout by oras"""
    copy = story.scene.aside("of-oras")
    options = ("--recursive", "--no-tty", "--from-plain-http", "--to-oci-layout")
    ORAS.run(story.scene, "cp", *options, story.scene.at(TAG), f"of-oras:{TAG}")
    ours(story, "import", "of-oras", f"{copy.repository}:{TAG}")
    expect_equal(native.manifest(copy, TAG)[0], story.digest(), "the digest")
    native.expect_attached(copy, story.digest(), "signature", "subject")
    return "of-oras/"


def we_read_layout_of_crane(story: Story) -> str:
    """we take the artifact from a layout by crane, which names no tag"""
    copy = story.scene.aside("of-crane")
    CRANE.run(story.scene, "pull", "--format=oci", story.scene.at(TAG), "of-crane")
    ours(story, "import", "of-crane", f"{copy.repository}:{TAG}")
    expect_equal(native.manifest(copy, TAG)[0], story.digest(), "the digest")
    return "of-crane/"


def ours(story: Story, command: str, *arguments: str) -> str:
    """Run a command of ours against the server; its standard output."""
    program = Path(sys.executable).with_name("artifactstore")
    return story.scene.run(program, command, "--server", f"http://{story.scene.registry.host}", *arguments)


STEPS: Sequence[Callable[[Story], str]] = (
    oras_pushes,
    oras_pulls,
    crane_copies,
    crane_lists,
    cosign_signs,
    cosign_verifies,
    native_package,
    native_files,
    native_signature,
    oras_reads_our_layout,
    crane_reads_our_layout,
    we_read_layout_of_oras,
    we_read_layout_of_crane,
)


def perform(story: Story) -> tuple[int, int]:
    """Take every step, say how each went, and return how many passed and failed."""
    failed = 0
    for step in STEPS:
        began = time.monotonic()
        try:
            mark, detail = "ok", step(story)
        except (StepFailed, subprocess.TimeoutExpired, OSError, KeyError, TypeError, ValueError) as problem:
            mark, detail, failed = "FAIL", f"{type(problem).__name__}: {problem}", failed + 1
        print(f"  {mark:4}  {step.__doc__:62}  {time.monotonic() - began:6.2f} s  {detail}", flush=True)
    return len(STEPS) - failed, failed


def smoke(directory: Path, workers_list: Sequence[int]) -> tuple[int, int]:
    """Take every step against a fresh server for each number of workers."""
    files = read_tree(directory)
    passed = failed = 0
    for workers in workers_list:
        log = RESULTS / f"server-{workers}.log"
        with serving(workers=workers, log=log) as server, tempfile.TemporaryDirectory(prefix="smoke-") as folder:
            print(f"{directory} on {server.url}, {workers} worker{'s' if workers > 1 else ''}", flush=True)
            scene = open_scene(Registry(server.host), REPOSITORY, Path(folder))
            done, undone = perform(Story(scene, directory, files))
            passed, failed = passed + done, failed + undone
    return passed, failed


def main(arguments: list[str] | None = None) -> int:
    """Install the clients, take the steps; 0 when all of them passed."""
    parser = argparse.ArgumentParser(prog="conformance.clients.smoke", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("directory", type=Path, help="the directory to push; any with at least one file")
    parser.add_argument("--workers", action="append", type=int, help="worker processes (default: 1, then 2)")
    options = parser.parse_args(arguments)
    exit_on_terminate()
    if not options.directory.is_dir() or not read_tree(options.directory):
        print(f"{options.directory} is no directory with files; name one: make smoke DIR=path", file=sys.stderr)
        return 2
    try:
        for client in (ORAS, CRANE, COSIGN):
            client.install()
        passed, failed = smoke(options.directory.resolve(), options.workers or [1, 2])
    except (ToolMissing, ServerFailed) as problem:
        print(problem, file=sys.stderr)
        return 1
    print(f"smoke: {passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
