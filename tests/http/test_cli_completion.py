"""Completion as shells do it: bash for real, the other scripts by what they ask the command."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.http.native_store import Pusher
from tests.http.servers import in_thread
from tests.http.terminals import talk
from tests.stores import fresh_config, fresh_registry

SECONDS_MAX = 60
MAIN = "from artifactstore.cli.main import main; main()"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with three repositories."""
    directory = tmp_path_factory.mktemp("completed")

    async def fill() -> None:
        registry = fresh_registry(directory, unsafe_no_sync=True)
        store = Pusher(registry)
        await store.package("acme/reports", {"a": b"alpha"}, "v1", "v2", "latest")
        await store.package("acme/rest", {"a": b"alpha"}, "v1")
        await store.package("other", {"a": b"alpha"}, "v1")
        await registry.close()

    asyncio.run(fill())
    return directory


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which `artifactstore` is on the path and has been sourced as `SCRIPT`."""
    directory = tmp_path_factory.mktemp("bin")
    command = directory / "artifactstore"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{MAIN}" "$@"\n')
    command.chmod(0o755)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ARTIFACTSTORE_")}
    return {**clean, "PATH": f"{directory}:{os.environ['PATH']}", "SCRIPT": str(directory / "completion.bash")}


@pytest.fixture(scope="module", autouse=True)
def script(environment: dict[str, str]) -> None:
    """The script for bash, written where the environment says."""
    Path(environment["SCRIPT"]).write_text(printed("bash", environment))


def printed(shell: str, environment: dict[str, str]) -> str:
    """What `completion SHELL` prints."""
    done = subprocess.run(
        ["artifactstore", "completion", shell], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


def completed(line: str, environment: dict[str, str], breaks: str = "$COMP_WORDBREAKS") -> list[str]:
    """What bash would offer at the end of a line."""
    program = (
        f'COMP_WORDBREAKS="{breaks}"; source "$SCRIPT"; COMP_LINE=$1; COMP_POINT=${{#1}}; '
        '_artifactstore artifactstore; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", program, "bash", line],
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("artifactstore sho", ["show"]),
        ("artifactstore repo ", ["ls", "rm"]),
        ("artifactstore ls --k", ["--kind"]),
        ("artifactstore completion ", ["bash", "zsh", "fish"]),
        ("artifactstore events --type v1.rep", ["v1.repository.deleted"]),
    ],
)
def test_bash_completes_commands_and_options(line: str, offered: list[str], environment: dict[str, str]) -> None:
    """Commands, commands of groups, options and their words are completed without any store."""
    assert completed(line, environment) == offered


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("ls acme/re", ["acme/reports", "acme/rest"]),
        ("repo rm oth", ["other"]),
        ("show acme/rep", ["acme/reports:"]),
        ("show acme/reports:", ["latest", "v1", "v2"]),
        ("rm other:v1 acme/reports:v", ["v1", "v2"]),
        ("show none:", []),
        ("show acme/reports@sha", []),
    ],
)
def test_bash_completes_names_from_the_store(
    line: str, offered: list[str], data: Path, environment: dict[str, str]
) -> None:
    """Repositories, and after the colon tags, come from the data directory; readline gets what follows the colon."""
    command, rest = line.split(" ", 1) if not line.startswith("repo") else ("repo rm", line.removeprefix("repo rm "))
    assert completed(f"artifactstore {command} --data {data} {rest}", environment) == offered


def test_bash_without_a_break_at_colons_gets_whole_words(data: Path, environment: dict[str, str]) -> None:
    """Where the user took the colon out of the word breaks, the answer is the whole word."""
    line = f"artifactstore show --data {data} other:"
    assert completed(line, environment, breaks=" ") == ["other:v1"]


@pytest.mark.parametrize("where", ["--data /nowhere", "--server http://127.0.0.1:9", "--data / --server x"])
def test_errors_are_silent(where: str, environment: dict[str, str]) -> None:
    """A store that is not there completes nothing and says nothing."""
    assert completed(f"artifactstore show {where} ac", environment) == []


def test_names_come_from_a_server_too(data: Path, environment: dict[str, str]) -> None:
    """With --server its repositories and tags are offered."""
    with in_thread(fresh_config(data, port=0, unsafe_no_sync=True)) as server:
        assert completed(f"artifactstore ls --server {server.url} acme/rep", environment) == ["acme/reports"]
        assert completed(f"artifactstore show --server {server.url} acme/reports:l", environment) == ["latest"]


def test_tab_in_an_interactive_bash(data: Path, environment: dict[str, str]) -> None:
    """Pressing Tab twice in a real bash goes from a part of a repository's name to its only tag."""
    keys = [f"source $SCRIPT\nartifactstore show --data {data} oth\t\t".encode(), b"\x15exit\n"]
    waited_for = [b"ready> ", b"other:v1"]

    def typed(shown: bytes) -> bytes:
        if not waited_for or waited_for[0] not in shown:
            return b""
        waited_for.pop(0)
        return keys.pop(0)

    bash = {**environment, "PS1": "ready> ", "TERM": "dumb"}
    code, _ = talk(["bash", "--norc", "-i"], typed, bash)
    assert (code, waited_for) == (0, [])


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_ask_what_the_command_answers(shell: str, environment: dict[str, str]) -> None:
    """The script names the command and the variables by which it is asked; asked that way, it answers."""
    script = printed(shell, environment)
    assert "artifactstore" in script
    assert f"_ARTIFACTSTORE_COMPLETE=complete_{shell}" in script
    asked = {
        **environment,
        "_ARTIFACTSTORE_COMPLETE": f"complete_{shell}",
        "_TYPER_COMPLETE_ARGS": "artifactstore rep",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    done = subprocess.run(["artifactstore"], env=asked, capture_output=True, text=True, timeout=SECONDS_MAX, check=True)
    assert "replay" in done.stdout
    assert "repo" in done.stdout
    assert "serve" not in done.stdout


def test_no_other_shell_is_offered(environment: dict[str, str]) -> None:
    """A shell that there is no script for is refused."""
    done = subprocess.run(
        ["artifactstore", "completion", "tcsh"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "tcsh" in done.stderr
