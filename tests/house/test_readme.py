"""The README's promises: its example prints what it says, and what it names is there."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from artifactstore import bootstrap
from artifactstore.api.http.app import RestApp
from artifactstore.api.http.oci import OciApp
from artifactstore.cli import describe
from artifactstore.config import Config, to_text, variable
from artifactstore.registry.registry import Registry
from conformance.clients import first_steps
from tests.stores import descriptor, image, push_blob, push_manifest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", *(ROOT / "docs" / f"{name}.md" for name in ("architecture", "operate", "conformance"))]
HAND_WRITTEN = [page.read_text(encoding="utf-8") for page in PAGES]


def blocks(language: str) -> list[str]:
    """The README's fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def shell_commands() -> Iterator[list[str]]:
    """Every command of the README's shell blocks, as words, comments left out."""
    for block in blocks("sh"):
        for line in block.replace("\\\n", "").splitlines():
            if words := shlex.split(line, comments=True):
                yield words


VERBS = {"dev", "push", "sign", "ls", "export"}
ADDRESSES = [word for words in shell_commands() if words[0] == "curl" for word in words if word.startswith("http://")]


def test_library_example_prints_what_is_shown() -> None:
    """The Python example runs as it stands and prints exactly the block below it."""
    [code], [shown] = blocks("python"), blocks("text")
    done = subprocess.run([sys.executable, "-"], input=code, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == (shown, "")


def test_five_commands_serve_push_sign_list_and_export() -> None:
    """Five commands lead from nothing to an exported artifact; `make smoke` runs these very lines."""
    words = [shlex.split(command, comments=True) for command in first_steps.commands(README)]
    assert [[word for word in line if word in VERBS] for line in words] == [
        ["dev"],
        ["push"],
        ["sign"],
        ["ls"],
        ["export"],
    ]


async def push_the_report(registry: Registry) -> None:
    """What the shell example pushes with oras."""
    files = {"junit.xml": b'<testsuite tests="3"/>\n', "summary.txt": b"all 3 passed\n"}
    for data in (b"{}", *files.values()):
        await push_blob(registry, "acme/reports", data)
    layers = [
        descriptor(data, "text/plain", annotations={"org.opencontainers.image.title": name})
        for name, data in files.items()
    ]
    manifest = json.loads(image(())) | {"artifactType": "application/vnd.example.report.v1", "layers": layers}
    await push_manifest(registry, "acme/reports", "v1", json.dumps(manifest).encode())


@pytest.mark.parametrize("address", ADDRESSES, ids=lambda address: urlsplit(address).path)
async def test_every_address_answers(address: str) -> None:
    """After the push of the shell example, each address that it asks with curl answers 200."""
    registry = bootstrap.open_memory()
    await push_the_report(registry)
    app = OciApp(registry) if urlsplit(address).path.startswith("/v2/") else RestApp(registry)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
        answer = await client.get(address)
    await registry.close()
    assert (answer.status_code, bool(answer.content)) == (200, True)


def test_the_example_asks_for_all_it_promises() -> None:
    """The shell example shows a package, its files, a file, its manifest, a tag's history and the events."""
    assert [urlsplit(address).path.rpartition("/")[2] for address in ADDRESSES] == [
        "reports:v1",
        "files",
        "summary.txt",
        "manifest",
        "v1",
        "events",
    ]


def test_every_make_target_is_there() -> None:
    """Each `make` target that README and hand-written pages name is one that `make help` lists."""
    made = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):.*## ", made, re.MULTILINE))
    named = {name for text in HAND_WRITTEN for name in re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE)}
    assert named
    assert named <= targets


def test_every_command_is_there() -> None:
    """Each `artifactstore` command that README and hand-written pages name exists, with the options shown."""
    known = {
        command.name: {word for parameter in command.parameters for word in re.findall(r"--?[a-z-]+", parameter.form)}
        for command in describe.commands()
    }
    used = [
        shlex.split(match)
        for text in HAND_WRITTEN
        for match in re.findall(r"(?:^|`|bin/)artifactstore ((?!listens)[a-z][^`\n#]*)", text, re.MULTILINE)
    ]
    assert used
    for words in used:
        name = words[0] if words[0] in known else " ".join(words[:2])
        options = {word for word in words if word.startswith("-") and word != "-"}
        assert options <= known[name], f"artifactstore {' '.join(words)}"


def test_every_setting_is_there() -> None:
    """Each setting that README and hand-written pages name is one."""
    named = {name for text in HAND_WRITTEN for name in re.findall(r"ARTIFACTSTORE_[A-Z_]+", text)}
    assert named
    assert named <= {variable(name) for name in to_text(Config())}
