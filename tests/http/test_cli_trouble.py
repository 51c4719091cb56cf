"""What the machine does to a command: streams that are closed or full, names that are no text, files of others."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from artifactstore.cli.main import app
from artifactstore.client.http import Http
from artifactstore.config import Config, check
from artifactstore.errors import BackendUnavailable, ConfigInvalid
from tests.http.servers import Server
from tests.stores import fresh_config

COMMAND = [sys.executable, "-c", "from artifactstore.cli.main import main; main()"]
SECONDS_MAX = 60


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory with an empty store."""
    fresh_config(tmp_path / "od")
    return tmp_path / "od"


def run(*arguments: str | bytes | Path, shell: str = 'exec "$@"') -> tuple[int, str]:
    """What a command ends with and says on standard error; the shell sets its streams."""
    words = ["sh", "-c", shell, "sh", *COMMAND, *arguments]
    done = subprocess.run(words, capture_output=True, timeout=SECONDS_MAX, check=False)
    said = done.stderr.decode(errors="replace")
    assert "Traceback" not in said, said
    return done.returncode, said


@pytest.mark.parametrize("closed", ["od", "od/artifactstore.sqlite"])
@pytest.mark.parametrize("words", [("ls",), ("health",), ("backup", "elsewhere")])
def test_a_store_of_another_user_is_named_as_such(
    data: Path, words: tuple[str, ...], closed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever may not look into the directory, or read the database, is told whom to run as instead."""
    real_stat, real_access = os.stat, os.access
    path = str(data / "artifactstore.sqlite")

    def refused(asked: str | Path, **rest: bool) -> os.stat_result:
        if closed == "od" and str(asked) == path:
            raise PermissionError(13, "Permission denied", path)
        return real_stat(asked, **rest)

    monkeypatch.setattr(os, "stat", refused)
    monkeypatch.setattr(os, "access", lambda asked, mode: asked != path and real_access(asked, mode))
    result = CliRunner().invoke(app, [*words, "--data", str(data)])
    assert result.exit_code == 7
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"error: permission denied at {path}: it belongs to another user; run as that user")


def test_full_output_is_a_line(data: Path) -> None:
    """What cannot be written for want of space ends with 5 and its reason."""
    code, said = run("ls", "--json", "--data", data, shell='exec "$@" > /dev/full')
    assert (code, said.splitlines()[0][:33]) == (5, "error: No space left on device (U")


@pytest.mark.parametrize("words", [("ls", "--json"), ("health",)])
def test_closed_output_is_a_line(data: Path, words: tuple[str, ...]) -> None:
    """A command that has nowhere to write says so, and no file of the store takes the place of its output."""
    code, said = run(*words, "--data", data, shell='exec "$@" >&-')
    assert (code, said) == (5, "error: Bad file descriptor (UNAVAILABLE)\n")


def test_a_path_need_not_be_text(tmp_path: Path) -> None:
    """A data directory and a backup whose names are no UTF-8 are a store like any other."""
    there, copy = bytes(tmp_path / "d") + b"\xff", bytes(tmp_path / "b") + b"\xff"
    assert run("migrate", "--data", there) == (0, "")
    assert run("ls", "--data", there) == (0, "")
    code, said = run("backup", copy, "--data", there)
    assert code == 0, said
    assert Path(os.fsdecode(copy), "artifactstore.sqlite").is_file()


def test_an_address_that_is_not_text_is_refused() -> None:
    """A server's address that is no UTF-8 ends with 2, as any that makes no sense."""
    code, said = run("ls", "--server", b"http://\xff")
    assert (code, said[:7]) == (2, "error: ")


def test_no_directory_is_not_this_one() -> None:
    """An empty name, as of a variable that is not set, is refused and not taken for the present directory."""
    with pytest.raises(ConfigInvalid, match="empty"):
        check(Config(data=""))


async def test_a_server_without_tls_is_told(server: Server) -> None:
    """A server that speaks plain HTTP and is asked by https is named as such, without another try."""
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async with Http(server.url.replace("http:", "https:"), sleep=sleep) as http:
        with pytest.raises(BackendUnavailable, match="does not speak TLS; use http://"):
            await http.json("/health")
    assert waits == []
