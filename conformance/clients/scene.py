"""Where a client plays: a registry, a repository of its own, and a workspace without anything of the user's."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

COMMAND_SECONDS_MAX = 300
REQUEST_SECONDS_MAX = 60
PASSWORD = "on-the-spot"
"""Of the keys that a scene makes for itself."""
# Nothing listens on the discard port: a client that wants the network fails at once.
NOWHERE = "http://127.0.0.1:9"


class StepFailed(Exception):
    """Something was not as it should be; the message says what was seen instead."""


def expect(condition: bool, otherwise: str) -> None:
    """Raise StepFailed with `otherwise` unless `condition` holds."""
    if not condition:
        raise StepFailed(otherwise)


def expect_equal(found: object, expected: object, what: str) -> None:
    """Raise StepFailed unless both are the same."""
    expect(found == expected, f"{what}: expected {expected!r}, found {found!r}"[:2000])


@dataclass(frozen=True)
class Credentials:
    """A name and its secret, for a registry that wants them."""

    user: str
    secret: str

    @property
    def basic(self) -> str:
        """Both, as HTTP's Basic scheme and a client's settings write them."""
        return base64.b64encode(f"{self.user}:{self.secret}".encode()).decode()


@dataclass(frozen=True)
class Answer:
    """A response: its status, headers by lower-case name (of an error none), and body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Registry:
    """The registry under test, on plain HTTP."""

    host: str
    credentials: Credentials | None = None

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """Send one request; underscores in header names stand for hyphens. Every status is an answer."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.credentials:
            named["Authorization"] = f"Basic {self.credentials.basic}"
        url = path if "://" in path else f"http://{self.host}{path}"
        request = urllib.request.Request(url, data=body, headers=named, method=method)
        try:
            with urllib.request.urlopen(request, timeout=REQUEST_SECONDS_MAX) as answer:
                return Answer(answer.status, {key.lower(): text for key, text in answer.headers.items()}, answer.read())
        except urllib.error.HTTPError as problem:
            with problem:
                return Answer(problem.code, {}, problem.read())

    def must(self, status: int, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """Send one request that must be answered with `status`; StepFailed otherwise."""
        answer = self.ask(method, path, body, **headers)
        expect(answer.status == status, f"{method} {path} answered {answer.status}: {answer.body[:500]!r}")
        return answer

    def get(self, path: str) -> dict[str, Any]:
        """The JSON object at `path`; StepFailed for anything else."""
        body = json.loads(self.must(200, "GET", path).body)
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


@dataclass(frozen=True)
class Scene:
    """One repository of the registry, and a workspace for the programs that use it."""

    registry: Registry
    repository: str
    workspace: Path

    @property
    def name(self) -> str:
        """The repository with its host, as clients write it."""
        return f"{self.registry.host}/{self.repository}"

    def at(self, reference: str) -> str:
        """A tag or digest of the repository, as clients write it."""
        return f"{self.name}{'@' if ':' in reference else ':'}{reference}"

    def aside(self, part: str) -> Scene:
        """The same, in another repository beside this one."""
        return replace(self, repository=f"{self.repository}-{part}")

    def through(self, host: str) -> Scene:
        """The same, with another way to the registry."""
        return open_scene(replace(self.registry, host=host), self.repository, self.workspace)

    def run(
        self, program: str | Path, *arguments: str, cwd: Path | None = None, extra: Mapping[str, str] | None = None
    ) -> str:
        """Run a client and return its standard output; StepFailed if it fails."""
        answer = self.attempt(program, *arguments, cwd=cwd, extra=extra)
        if answer.returncode != 0:
            said = (answer.stderr or answer.stdout).strip()[-1500:]
            raise StepFailed(f"{Path(program).name} {' '.join(arguments)[:300]} ended with {answer.returncode}: {said}")
        return answer.stdout

    def attempt(
        self, program: str | Path, *arguments: str, cwd: Path | None = None, extra: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a client with a home of its own, every road but loopback closed, and this `extra` environment."""
        return subprocess.run(
            [str(program), *arguments],
            cwd=cwd or self.workspace,
            env={**client_environment(self.workspace), **(extra or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS_MAX,
            check=False,
        )

    def folder(self, name: str) -> Path:
        """A directory of the workspace, made if it is not there."""
        path = self.workspace / name
        path.mkdir(parents=True, exist_ok=True)
        return path


def client_environment(workspace: Path) -> Mapping[str, str]:
    """No credentials or settings of the machine's user, and no way out."""
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "LANG", "LC_ALL", "TMPDIR"}}
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY"), NOWHERE) | {"NO_PROXY": "127.0.0.1"}
    own = {"HOME": str(workspace), "DOCKER_CONFIG": str(workspace / ".docker"), "COSIGN_PASSWORD": PASSWORD}
    return kept | proxies | own


def open_scene(registry: Registry, repository: str, workspace: Path) -> Scene:
    """A scene whose workspace holds the registry's credentials, if it wants any, where every client looks for them."""
    scene = Scene(registry, repository, workspace)
    settings = scene.folder(".docker") / "config.json"
    known: dict[str, Any] = json.loads(settings.read_text())["auths"] if settings.exists() else {}
    if registry.credentials:
        known[registry.host] = {"auth": registry.credentials.basic}
    settings.write_text(json.dumps({"auths": known}))
    return scene
