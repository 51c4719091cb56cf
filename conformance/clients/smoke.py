"""The main job on real input: oras pushes a directory, crane copies it, cosign signs it, the native API knows it.

`make smoke DIR=...` runs every step against one worker and against two worker
processes, with the real programs and no network beyond loopback.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.clients.evidence import FileFacts, read_tree, tree_differences
from conformance.server import ServerFailed, exit_on_terminate, serving
from conformance.tools import COSIGN, CRANE, ORAS, ToolMissing, install

RESULTS = Path(__file__).resolve().parent / "results"
REPOSITORY = "smoke/evidence"
COPY = "smoke/copy"
TAG = "run-1"
ARTIFACT_TYPE = "application/vnd.example.evidence.v1"
COMMAND_SECONDS_MAX = 300
# Nothing listens on the discard port: a client that wants the network fails at once.
NOWHERE = "http://127.0.0.1:9"


class StepFailed(Exception):
    """A step did not do what it should; the message says what was seen instead."""


@dataclass(frozen=True)
class Scene:
    """What the steps share: the registry, the directory pushed to it, and a workspace for the clients."""

    host: str
    directory: Path
    files: dict[str, FileFacts]
    workspace: Path

    @property
    def tagged(self) -> str:
        """The pushed artifact by its tag."""
        return f"{self.host}/{REPOSITORY}:{TAG}"

    def run(self, program: str, *arguments: str, cwd: Path | None = None) -> str:
        """Run an installed client and return its standard output; StepFailed if it fails."""
        answer = self.attempt(program, *arguments, cwd=cwd)
        if answer.returncode != 0:
            said = (answer.stderr or answer.stdout).strip()[-1500:]
            raise StepFailed(f"{Path(program).name} {arguments[0]} ended with {answer.returncode}: {said}")
        return answer.stdout

    def attempt(self, program: str, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run an installed client with a home of its own and every road but loopback closed."""
        return subprocess.run(
            [program, *arguments],
            cwd=cwd or self.workspace,
            env=client_environment(self.workspace),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS_MAX,
            check=False,
        )

    def get(self, path: str) -> dict[str, Any]:
        """The JSON object that the native API answers at `path`; StepFailed for anything else."""
        try:
            with urllib.request.urlopen(f"http://{self.host}{path}", timeout=30) as answer:
                body = json.load(answer)
        except urllib.error.HTTPError as problem:
            raise StepFailed(f"GET {path} answered {problem.code}: {problem.read()[:500]!r}") from problem
        expect(isinstance(body, dict), f"GET {path} answered no JSON object: {body!r}")
        found: dict[str, Any] = body
        return found

    def pages(self, path: str, key: str) -> list[dict[str, Any]]:
        """All entries under `key`, page after page; `next` is the address of the page that follows."""
        entries: list[dict[str, Any]] = []
        following: str | None = path
        while following is not None:
            page = self.get(following)
            entries += page[key]
            following = page["next"]
        return entries

    def pushed_digest(self) -> str:
        """The digest that the pushed artifact has now."""
        return self.run(str(CRANE.path), "digest", self.tagged).strip()


def client_environment(workspace: Path) -> Mapping[str, str]:
    """No credentials or settings of the machine's user, and no way out."""
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "LANG", "LC_ALL", "TMPDIR"}}
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY"), NOWHERE) | {"NO_PROXY": "127.0.0.1"}
    own = {"HOME": str(workspace), "DOCKER_CONFIG": str(workspace), "COSIGN_PASSWORD": "smoke"}
    return kept | proxies | own


def expect(condition: bool, otherwise: str) -> None:
    """Raise StepFailed with `otherwise` unless `condition` holds."""
    if not condition:
        raise StepFailed(otherwise)


def oras_pushes(scene: Scene) -> str:
    """oras pushes every file under its relative path"""
    arguments = [f"{path}:application/octet-stream" for path in scene.files]
    scene.run(
        str(ORAS.path),
        *("push", "--plain-http", "--no-tty", "--artifact-type", ARTIFACT_TYPE, scene.tagged, "--", *arguments),
        cwd=scene.directory,
    )
    return f"{len(scene.files)} files, {sum(file.size for file in scene.files.values())} bytes"


def oras_pulls(scene: Scene) -> str:
    """oras pull gives the same tree back"""
    pulled = scene.workspace / "pulled"
    scene.run(str(ORAS.path), "pull", "--plain-http", "--no-tty", "--output", str(pulled), scene.tagged)
    found = read_tree(pulled)
    differences = tree_differences(scene.files, found)
    expect(not differences, "the pulled tree differs: " + "; ".join(differences[:10]))
    return f"{len(found)} files, byte for byte"


def crane_copies(scene: Scene) -> str:
    """crane copies the artifact to another repository"""
    copied = f"{scene.host}/{COPY}:{TAG}"
    scene.run(str(CRANE.path), "copy", scene.tagged, copied)
    here, there = scene.pushed_digest(), scene.run(str(CRANE.path), "digest", copied).strip()
    expect(here == there, f"{here} became {there}")
    return there


def crane_lists(scene: Scene) -> str:
    """crane lists the tags and the catalog"""
    tags = scene.run(str(CRANE.path), "ls", f"{scene.host}/{COPY}").split()
    expect(tags == [TAG], f"the tags of {COPY} are {tags}")
    catalog = scene.run(str(CRANE.path), "catalog", scene.host).split()
    expect(catalog == sorted([COPY, REPOSITORY]), f"the catalog is {catalog}")
    return " ".join(catalog)


def cosign_signs(scene: Scene) -> str:
    """cosign signs the artifact by digest with a key"""
    cosign = str(COSIGN.path)
    scene.run(cosign, "generate-key-pair")
    scene.run(cosign, "generate-key-pair", "--output-key-prefix", "other")
    scene.run(cosign, "signing-config", "create", "--out", "signing-config.json")
    scene.run(cosign, "trusted-root", "create", "--out", "trusted-root.json")
    offline = ("--signing-config", "signing-config.json", "--trusted-root", "trusted-root.json")
    signed = f"{scene.host}/{REPOSITORY}@{scene.pushed_digest()}"
    scene.run(cosign, "sign", "--key", "cosign.key", "--yes", *offline, signed)
    return signed.partition("/")[2]


def cosign_verifies(scene: Scene) -> str:
    """cosign verifies the signature, and refuses another key"""
    signed = f"{scene.host}/{REPOSITORY}@{scene.pushed_digest()}"
    arguments = ("verify", "--insecure-ignore-tlog=true", signed)
    verified = json.loads(scene.run(str(COSIGN.path), *arguments, "--key", "cosign.pub"))
    expect(len(verified) == 1, f"expected one signature, verified {len(verified)}")
    refused = scene.attempt(str(COSIGN.path), *arguments, "--key", "other.pub")
    expect(refused.returncode != 0, "a key that did not sign verifies the artifact")
    return "1 signature"


def native_package(scene: Scene) -> str:
    """the native API shows the artifact as a package"""
    facts = FileFacts.of(scene.run(str(CRANE.path), "manifest", scene.tagged).encode())
    package = scene.get(f"/api/v1/packages/{REPOSITORY}:{TAG}")
    expected = {
        "repository": REPOSITORY,
        "digest": facts.sha256,
        "digests": {"blake3": facts.blake3, "sha256": facts.sha256},
        "kind": ARTIFACT_TYPE,
        "tags": [TAG],
    }
    found = {key: package.get(key) for key in expected}
    found["digests"] = {name: package["digests"].get(name) for name in ("blake3", "sha256")}
    expect(found == expected, f"expected {expected}, found {found}")
    expect(str(package.get("manifest_digest")).startswith("blake3:"), f"no native manifest digest in {package}")
    return facts.blake3


def native_files(scene: Scene) -> str:
    """the native API shows every file with both digests"""
    listed = scene.pages(f"/api/v1/packages/{REPOSITORY}:{TAG}/files", "files")
    expect(all(file["present"] for file in listed), "a file is listed as absent")
    found = {
        file["path"]: FileFacts(file["size"], file["digests"].get("blake3"), file["digests"].get("sha256"))
        for file in listed
    }
    expect(len(found) == len(listed), "a path is listed twice")
    differences = tree_differences(scene.files, found)
    expect(not differences, "the listed files differ: " + "; ".join(differences[:10]))
    return f"{len(found)} files, blake3 and sha256 as computed here"


def native_signature(scene: Scene) -> str:
    """the native API shows the signature beside the package"""
    referrers = scene.pages(f"/api/v1/packages/{REPOSITORY}@{scene.pushed_digest()}/referrers", "referrers")
    roles = [referrer["role"] for referrer in referrers]
    expect(roles.count("signature") == 1, f"expected one signature, the roles are {roles}")
    signature = referrers[roles.index("signature")]
    return f"{signature['artifact_type']} via {signature['via']}"


STEPS: Sequence[Callable[[Scene], str]] = (
    oras_pushes,
    oras_pulls,
    crane_copies,
    crane_lists,
    cosign_signs,
    cosign_verifies,
    native_package,
    native_files,
    native_signature,
)


def perform(scene: Scene) -> tuple[int, int]:
    """Take every step, say how each went, and return how many passed and failed."""
    failed = 0
    for step in STEPS:
        began = time.monotonic()
        try:
            mark, detail = "ok", step(scene)
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
            done, undone = perform(Scene(server.host, directory, files, Path(folder)))
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
        for tool in (ORAS, CRANE, COSIGN):
            install(tool)
        passed, failed = smoke(options.directory.resolve(), options.workers or [1, 2])
    except (ToolMissing, ServerFailed) as problem:
        print(problem, file=sys.stderr)
        return 1
    print(f"smoke: {passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
