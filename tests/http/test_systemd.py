"""Being run by systemd: what it is told, and the unit that we ship for it."""

from __future__ import annotations

import logging
import secrets
import signal
import socket
from configparser import RawConfigParser
from contextlib import closing
from dataclasses import fields
from pathlib import Path
from typing import cast

import click
import httpx
import pytest
import typer

from artifactstore.api.http.notifier import Notifier
from artifactstore.api.http.worker import CLOSE_SECONDS, CUT_SECONDS, FORCED
from artifactstore.cli.main import app
from artifactstore.config import Config, notify_socket, variable
from tests.http.servers import in_processes

UNIT = Path(__file__).resolve().parents[2] / "docs" / "systemd" / "artifactstore.service"


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("kind", ["path", "abstract"])
def test_systemd_hears_when_it_answers_and_when_it_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: str, kind: str
) -> None:
    """READY=1 comes once, and then requests are answered; STOPPING=1 comes once, when it is told to stop."""
    address = str(tmp_path / "notify") if kind == "path" else f"@artifactstore-{secrets.token_hex(8)}"
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as systemd:
        systemd.bind(address.replace("@", "\0"))
        systemd.settimeout(60)
        with in_processes(tmp_path / "data", "--workers", workers) as server:
            assert systemd.recv(100) == b"READY=1"
            assert httpx.get(f"{server.url}/health/ready", timeout=60).status_code == 200
            assert server.process is not None
            server.process.send_signal(signal.SIGTERM)
            assert systemd.recv(100) == b"STOPPING=1"
            assert server.process.wait(60) == 0
        systemd.setblocking(False)
        with pytest.raises(BlockingIOError):
            systemd.recv(100)


def test_nobody_needs_to_listen(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Without systemd nothing is said; a socket that is gone is worth a warning, and no more."""
    Notifier(notify_socket({})).say("READY=1")
    assert caplog.records == []
    Notifier(notify_socket({"NOTIFY_SOCKET": str(tmp_path / "gone")})).say("READY=1")
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


@pytest.fixture
def unit() -> dict[str, list[str]]:
    """Every key of the unit's [Service] section, with its values."""
    found: dict[str, list[str]] = {}
    section = UNIT.read_text().partition("[Service]")[2].partition("[Install]")[0]
    for line in section.splitlines():
        if line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def test_the_unit_runs_what_there_is(unit: dict[str, list[str]]) -> None:
    """Its command, options and settings are those of this program."""
    command, *words = unit["ExecStart"][0].split()
    serve = cast(click.Group, typer.main.get_command(app)).commands[words[0]]
    options = {option for parameter in serve.params for option in parameter.opts}
    assert Path(command).name == "artifactstore"
    assert {word for word in words if word.startswith("-")} <= options
    assert {line.partition("=")[0] for line in unit["Environment"]} <= {variable(it.name) for it in fields(Config)}
    data = unit["Environment"][0].partition("=")[2]
    assert data == f"/var/lib/{unit['StateDirectory'][0]}"


def test_the_unit_waits_for_the_drain(unit: dict[str, list[str]]) -> None:
    """systemd is told when the server is ready, kills no later than it needs, and takes each clean stop for one."""
    assert unit["Type"] == ["notify"]
    assert unit["KillMode"] == ["mixed"]
    assert int(unit["TimeoutStopSec"][0]) > Config().drain_seconds + CUT_SECONDS + CLOSE_SECONDS
    assert unit["SuccessExitStatus"] == [str(FORCED)]


def test_the_unit_is_well_formed() -> None:
    """Three sections, and in each every key once."""
    parser = RawConfigParser(strict=True)
    parser.read_string(UNIT.read_text())
    assert parser.sections() == ["Unit", "Service", "Install"]
