"""A scene shuts out the user's settings and the network, and has the registry's credentials where clients look."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from conformance.clients.scene import Credentials, Registry, Scene, StepFailed, open_scene

PRINT_ENVIRONMENT = "import json, os; print(json.dumps(dict(os.environ)))"


def seen_by_client(scene: Scene) -> dict[str, str]:
    """The environment that a client of this scene has."""
    found: dict[str, str] = json.loads(scene.run(sys.executable, "-c", PRINT_ENVIRONMENT))
    return found


def test_client_has_a_home_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client sees neither the user's home nor the user's secrets, and every road but loopback leads nowhere."""
    monkeypatch.setenv("SECRET_TOKEN", "x")
    found = seen_by_client(open_scene(Registry("127.0.0.1:1"), "a/b", tmp_path))
    assert found["HOME"] == str(tmp_path)
    assert found["HTTPS_PROXY"] == found["HTTP_PROXY"] == "http://127.0.0.1:9"
    assert "SECRET_TOKEN" not in found


@pytest.mark.parametrize(
    ("credentials", "auths"),
    [(None, {}), (Credentials("anna", "s3cret"), {"127.0.0.1:1": {"auth": "YW5uYTpzM2NyZXQ="}})],
)
def test_credentials_are_where_clients_look(tmp_path: Path, credentials: Credentials | None, auths: object) -> None:
    """The registry's credentials, if it has any, are in the settings that clients share, and nothing else is."""
    scene = open_scene(Registry("127.0.0.1:1", credentials), "a/b", tmp_path)
    settings = Path(seen_by_client(scene)["DOCKER_CONFIG"]) / "config.json"
    assert json.loads(settings.read_text()) == {"auths": auths}


def test_credentials_are_known_for_every_way_to_the_registry(tmp_path: Path) -> None:
    """Through another host the registry takes the same credentials, and the first host's are still known."""
    scene = open_scene(Registry("127.0.0.1:1", Credentials("anna", "s3cret")), "a/b", tmp_path)
    assert scene.through("127.0.0.1:2").name == "127.0.0.1:2/a/b"
    assert list(json.loads((tmp_path / ".docker" / "config.json").read_text())["auths"]) == [
        "127.0.0.1:1",
        "127.0.0.1:2",
    ]


def test_failure_tells_what_the_client_said(tmp_path: Path) -> None:
    """A client that fails fails the step, with its own words."""
    scene = open_scene(Registry("127.0.0.1:1"), "a/b", tmp_path)
    with pytest.raises(StepFailed, match="ended with 3: no such thing"):
        scene.run(sys.executable, "-c", "import sys; sys.stderr.write('no such thing'); sys.exit(3)")


@pytest.mark.parametrize(("reference", "written"), [("v1", "h:1/a/b:v1"), ("sha256:00", "h:1/a/b@sha256:00")])
def test_reference_is_written_as_clients_do(reference: str, written: str) -> None:
    """A tag follows a colon, a digest an at sign."""
    assert Scene(Registry("h:1"), "a/b", Path()).at(reference) == written
