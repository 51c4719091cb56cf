"""The README's five commands, as they stand there: an artifact is served, pushed, signed, listed and exported.

`make smoke` runs them with the real `oras` and `cosign`, in a folder that looks like the checkout, and then holds the
store and what was exported to them.
"""

from __future__ import annotations

import re
import shlex
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from conformance.clients import native
from conformance.clients.cosign import Cosign3
from conformance.clients.evidence import FileFacts
from conformance.clients.oras import Oras
from conformance.clients.scene import Registry, Scene, StepFailed, client_environment, expect, open_scene
from conformance.server import EXECUTABLE, ServerFailed, exit_on_terminate, free_port, started
from conformance.tools import ROOT, TOOLS, ToolMissing

HEADING = "## Five commands\n"
SERVED = "127.0.0.1:8000"
"""Where the README has its server."""
REPOSITORY, TAG, PUSHED, EXPORTED = "acme/reports", "v1", "README.md", "reports.tar"
LOG = Path(__file__).resolve().parent / "results" / "server-first-steps.log"


def commands(readme: str) -> Sequence[str]:
    """The lines of the first block of commands below the heading, without their comments and continuations."""
    found = re.search(r"^```sh\n(.*?)^```$", readme.partition(HEADING)[2], re.MULTILINE | re.DOTALL)
    lines = found[1].replace("\\\n", " ").splitlines() if found else []
    return [line for line in lines if line.strip() and not line.startswith("#")]


@contextmanager
def checkout() -> Iterator[Path]:
    """A folder with all that the checkout has, in which commands leave what they leave."""
    with tempfile.TemporaryDirectory(prefix="first-steps-") as folder:
        for entry in ROOT.iterdir():
            if entry.name not in (".git", "data"):
                Path(folder, entry.name).symlink_to(entry)
        yield Path(folder)


def walk(serve: str, rest: Sequence[str], folder: Path) -> None:
    """Start what serves, on a free port, run the other commands, and look at what came of them."""
    port = free_port()
    scene = open_scene(Registry(f"127.0.0.1:{port}"), REPOSITORY, folder)
    own = dict(client_environment(folder))
    path = {"PATH": f"{TOOLS}:{own['PATH']}"}
    print(f"  {serve}", flush=True)
    with started(shlex.split(serve, comments=True), folder, own | {"PORT": str(port)}, scene.registry.host, LOG):
        for command in rest:
            print(f"  {command}", flush=True)
            print(
                scene.run("bash", "-ec", command.replace(SERVED, scene.registry.host), extra=path), end="", flush=True
            )
        check(scene)


def check(scene: Scene) -> None:
    """The file is a package, the key verifies its signature, and the archive is whole and says the same elsewhere."""
    facts = FileFacts.of((ROOT / PUSHED).read_bytes())
    native.expect_tree(scene, TAG, {PUSHED: facts})
    digest = native.manifest(scene, TAG)[0]
    native.expect_attached(scene, digest, "signature", "subject")
    expect(Cosign3().verifies(scene, TAG, "referrer"), "the key does not verify what it signed")
    scene.run(EXECUTABLE, "migrate", "--data", "elsewhere")
    scene.run(EXECUTABLE, "import", EXPORTED, "--data", "elsewhere")
    taken = scene.run(EXECUTABLE, "show", f"{REPOSITORY}:{TAG}", "--data", "elsewhere", "--json")
    for words in (digest, facts.blake3, '"role":"signature"'):
        expect(words in taken, f"the imported package has no {words}: {taken[:1000]}")


def main() -> int:
    """Install the clients, run the README's commands; 0 when all is as they promise."""
    exit_on_terminate()
    serve, *rest = commands((ROOT / "README.md").read_text(encoding="utf-8"))
    try:
        for client in (Oras(), Cosign3()):
            client.install()
        with checkout() as folder:
            walk(serve, rest, folder)
    except (StepFailed, ServerFailed, ToolMissing) as problem:
        print(problem, file=sys.stderr)
        return 1
    print(f"first steps: {len(rest) + 1} commands, from nothing to a signed and exported artifact")
    return 0


if __name__ == "__main__":
    sys.exit(main())
