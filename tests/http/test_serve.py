"""Starting and stopping the server."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from artifactstore.api.http import server
from artifactstore.api.http.app import build_app
from artifactstore.bootstrap import SweepTurn
from artifactstore.config import Config
from artifactstore.errors import ConfigInvalid
from tests.http.servers import in_processes, wait_for
from tests.stores import fresh_config


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_only_loopback_is_listened_on_without_authentication(tmp_path: Path, host: str) -> None:
    """Any other address is refused before anything is made, with a message that says how."""
    with pytest.raises(ConfigInvalid, match="ARTIFACTSTORE_UNSAFE_OPEN_TO_NETWORK"):
        server.serve(Config(data=str(tmp_path / "data"), host=host))
    assert not (tmp_path / "data").exists()


def test_a_taken_port_is_refused_in_words(tmp_path: Path) -> None:
    """The address that is in use is named."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigInvalid, match=f"port {port}"):
            server.bind(Config(port=port))


def test_a_name_that_is_no_address_is_refused_in_words() -> None:
    """A host that cannot be found is a setting that makes no sense."""
    with pytest.raises(ConfigInvalid, match="cannot listen"):
        server.bind(Config(host="localhost.invalid", port=0))


def test_an_access_log_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """A path where no file can be made ends the start, before anything is made."""
    with pytest.raises(ConfigInvalid, match="cannot be written to"):
        server.serve(Config(data=str(tmp_path / "data"), access_log=str(tmp_path / "none" / "log")))
    assert not (tmp_path / "data").exists()


def test_ipv6_loopback_is_served(tmp_path: Path) -> None:
    """`::1` is loopback too."""
    try:
        listener = server.bind(Config(host="::1", port=0))
    except ConfigInvalid:
        assert not socket.has_ipv6 or not Path("/proc/net/if_inet6").read_text()
        return
    listener.close()


def test_a_first_start_says_what_it_did_and_what_to_try(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The schema that was made, the address, the data and a push line with the port that was taken."""
    config = Config(data=str(tmp_path / "data"), port=0)
    server._migrate(config)
    assert "schema none -> " in capsys.readouterr().out
    server._migrate(config)
    assert capsys.readouterr().out == ""
    with server.bind(config) as listener:
        text = "\n".join(server._announcement(config, listener))
        port = listener.getsockname()[1]
    assert f"http://127.0.0.1:{port}" in text
    assert f"oras push --plain-http 127.0.0.1:{port}/" in text
    assert config.sqlite_path in text
    assert config.local_root in text


def test_one_process_of_all_sweeps(tmp_path: Path) -> None:
    """The first to ask has the turn until it leaves; then another may."""
    config = fresh_config(tmp_path / "data")
    first, second = SweepTurn(config), SweepTurn(config)
    assert first.take()
    assert first.take()
    assert not second.take()
    first.leave()
    assert second.take()
    second.leave()


async def test_a_store_that_is_not_migrated_is_not_served(tmp_path: Path) -> None:
    """The application of an empty directory does not start; only `serve` and `migrate` make a database."""
    said: list[Any] = []

    async def receive() -> Any:
        return {"type": "lifespan.startup"}

    async def send(message: Any) -> None:
        said.append(message)

    await build_app(Config(data=str(tmp_path / "data")))({"type": "lifespan"}, receive, send)
    assert [message["type"] for message in said] == ["lifespan.startup.failed"]
    assert "artifactstore migrate" in said[0]["message"]


async def test_the_application_serves_within_its_lifespan_only() -> None:
    """Any ASGI server can run it, and must run its lifespan."""
    app = build_app(Config())
    with pytest.raises(RuntimeError, match="lifespan"):
        await app({"type": "http", "path": "/v2/"}, None, None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="websocket"):
        await app({"type": "websocket"}, None, None)  # type: ignore[arg-type]


def test_a_server_of_nothing_makes_its_data_directory(tmp_path: Path) -> None:
    """`serve` on a directory that is not there yet: made, migrated, served."""
    with in_processes(tmp_path / "new" / "data") as running:
        wait_for(lambda: httpx.get(f"{running.url}/health/live").status_code == 200)
    assert Path(replace(Config(), data=str(tmp_path / "new" / "data")).sqlite_path).is_file()
