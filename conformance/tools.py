"""Programs written in Go that the checks need, each built at one pinned version into `.tools/bin`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ROOT / ".tools" / "bin"
GO_OF_OURS = ROOT / ".tools" / "go" / "bin" / "go"
GO_VERSION_MIN = (1, 26)
_REFUSAL = re.compile(r"reading \S+: (40[34] [A-Z]\w+(?: [A-Z]\w+)?|410 Gone)(?:\s+server response: ([^\n]+))?")
"""How Go reports that a module proxy has not got a module."""


class ToolMissing(Exception):
    """A program that a check needs is not there and cannot be built; the message says what would help."""


class ModuleUnavailable(ToolMissing):
    """The module proxy says that it does not serve the program's module; the message is its answer."""


@dataclass(frozen=True)
class Tool:
    """One program: the module that holds it, the version it is pinned at, and its package in the module."""

    name: str
    module: str
    version: str
    package: str = ""

    @property
    def path(self) -> Path:
        """Where the program lies once it is installed."""
        return TOOLS / self.name

    @property
    def import_path(self) -> str:
        """The Go import path of the program's main package."""
        return f"{self.module}/{self.package}" if self.package else self.module


OCI_SUITE = Tool(
    "oci-conformance",
    "github.com/opencontainers/distribution-spec/conformance",
    "v0.0.0-20260716174315-967efdc079b9",
)
ORAS = Tool("oras", "oras.land/oras", "v1.3.3", "cmd/oras")
CRANE = Tool("crane", "github.com/google/go-containerregistry", "v0.21.9", "cmd/crane")
COSIGN = Tool("cosign", "github.com/sigstore/cosign/v3", "v3.1.2", "cmd/cosign")
COSIGN_2 = Tool("cosign-2", "github.com/sigstore/cosign/v2", "v2.6.4", "cmd/cosign")
REGCTL = Tool("regctl", "github.com/regclient/regclient", "v0.11.5", "cmd/regctl")
NOTATION = Tool("notation", "github.com/notaryproject/notation", "v1.3.2", "cmd/notation")
HELM_4 = Tool("helm-4", "helm.sh/helm/v4", "v4.2.4", "cmd/helm")
HELM_3 = Tool("helm-3", "helm.sh/helm/v3", "v3.21.4", "cmd/helm")


def install(tool: Tool) -> Path:
    """Build `tool` unless it is there at its pinned version, and return its path.

    Raises ToolMissing when Go is absent or too old, or when the build fails, ModuleUnavailable when there is nothing to
    build.
    """
    go = find_go()
    if installed_version(go, tool) != tool.version:
        print(f"building {tool.name} {tool.version} (minutes the first time)", flush=True)
        build(go, tool)
    return tool.path


def find_go() -> str:
    """A Go toolchain new enough for every tool: the one in `.tools`, else the machine's."""
    for candidate in (str(GO_OF_OURS), shutil.which("go")):
        if candidate is not None and Path(candidate).exists() and go_version(candidate) >= GO_VERSION_MIN:
            return candidate
    wanted = ".".join(map(str, GO_VERSION_MIN))
    raise ToolMissing(f"this check builds Go programs and found no Go {wanted} or newer; `make go` installs one")


def go_version(go: str) -> tuple[int, ...]:
    """The release of a toolchain as numbers, `(1, 26)` for go1.26.8."""
    said = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, check=False).stdout
    return tuple(int(number) for number in re.findall(r"\d+", said)[:2])


def installed_version(go: str, tool: Tool) -> str | None:
    """The version that the installed program says it was built from, or None."""
    if not tool.path.exists():
        return None
    answer = subprocess.run([go, "version", "-m", str(tool.path)], capture_output=True, text=True, check=False)
    for line in answer.stdout.splitlines():
        fields = line.split()
        if fields[:2] == ["mod", tool.module] and len(fields) > 2:
            return fields[2]
    return None


def build(go: str, tool: Tool) -> None:
    """Build the pinned version through a throw-away module file.

    `go install path@version` would also ask for the list of all versions, which not
    every module proxy keeps; a module file needs the one version it names. Checksums
    are verified against Go's checksum database either way.
    """
    TOOLS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="artifactstore-tool-") as folder:
        Path(folder, "go.mod").write_text(f"module tool\n\ngo 1.24\n\nrequire {tool.module} {tool.version}\n")
        built = Path(folder, tool.name)
        command = [go, "build", "-mod=mod", "-trimpath", "-buildvcs=false", "-o", str(built), tool.import_path]
        environment = os.environ | {"GOFLAGS": "", "GOWORK": "off", "CGO_ENABLED": "0"}
        result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            refuse_if_unavailable(tool, result.stderr)
            raise ToolMissing(f"{tool.name} {tool.version} cannot be built; go says:\n{result.stderr.strip()[-2000:]}")
        shutil.move(built, tool.path)


def refuse_if_unavailable(tool: Tool, said: str) -> None:
    """Raise ModuleUnavailable when what Go said is that the module proxy does not serve the tool's own module."""
    for line in re.split(r"\n(?=\S)", said):
        found = _REFUSAL.search(line)
        if found is not None and line.removeprefix("go: ").startswith(f"{tool.module}@{tool.version}: "):
            answer = found[1] + (f", {found[2].strip()}" if found[2] else "")
            raise ModuleUnavailable(f"the module proxy answers {answer}")
