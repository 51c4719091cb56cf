"""Settings: read once, checked as a whole, refused by name."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from artifactstore.config import DESCRIPTIONS, Config, check, is_loopback, load, require_private, to_text, variable
from artifactstore.errors import ConfigInvalid
from artifactstore.registry.policy import Policy


def test_every_setting_has_a_description() -> None:
    """Settings and their descriptions name the same things."""
    assert {field.name for field in fields(Config)} == set(DESCRIPTIONS)


def test_environment_and_overrides() -> None:
    """The environment wins over defaults, and what is given by hand over the environment."""
    environment = {"ARTIFACTSTORE_PORT": "9000", "ARTIFACTSTORE_WORKERS": "3", "PATH": "/bin"}
    config = load({"port": 9100, "host": None}, environment)
    assert (config.port, config.workers, config.host) == (9100, 3, "127.0.0.1")


def test_text_and_back() -> None:
    """Every setting's text reads back as itself."""
    config = Config(sparse_repositories=("a/b", "c"), delete_blobs=False, port=1, data="/d")
    assert load({}, {variable(name): text for name, text in to_text(config).items()}) == config


@pytest.mark.parametrize(
    "environment",
    [
        {"ARTIFACTSTORE_PROT": "1"},
        {"ARTIFACTSTORE_PORT": "many"},
        {"ARTIFACTSTORE_PORT": "65536"},
        {"ARTIFACTSTORE_WORKERS": "0"},
        {"ARTIFACTSTORE_DELETE_BLOBS": "perhaps"},
        {"ARTIFACTSTORE_LOG_LEVEL": "loud"},
        {"ARTIFACTSTORE_ACCESS_LOG": "nowhere"},
        {"ARTIFACTSTORE_DATABASE_URL": "mysql://x"},
        {"ARTIFACTSTORE_MANIFEST_SIZE_MAX": "1000"},
    ],
)
def test_nonsense_is_refused(environment: dict[str, str]) -> None:
    """A misspelt or senseless setting stops the start and is named."""
    with pytest.raises(ConfigInvalid, match="ARTIFACTSTORE_"):
        load({}, environment)


@pytest.mark.parametrize(
    ("host", "local"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False),
     ("10.0.0.1", False), ("example", False)],
)  # fmt: skip
def test_only_loopback_is_open(host: str, local: bool) -> None:
    """Listening where others can reach is refused with the way out, unless the setting named for its danger is on."""
    assert is_loopback(host) == local
    if local:
        require_private(Config(host=host))
        return
    with pytest.raises(ConfigInvalid, match="ARTIFACTSTORE_UNSAFE_OPEN_TO_NETWORK"):
        require_private(Config(host=host))
    require_private(Config(host=host, unsafe_open_to_network=True))


def test_defaults_pass_their_own_check() -> None:
    """The defaults are a sound configuration."""
    assert check(Config()) == Config()


@pytest.mark.parametrize(
    ("prefixes", "repository", "allowed"),
    [((), "a/b", False), (("*",), "a/b", True), (("a",), "a/b", True), (("a",), "ab", False), (("a/b",), "a/b", True),
     (("a/b",), "a", False)],
)  # fmt: skip
def test_sparse_prefixes(prefixes: tuple[str, ...], repository: str, allowed: bool) -> None:
    """A prefix allows whole segments, the star everything."""
    assert Policy(sparse_repositories=prefixes).allows_sparse(repository) == allowed


def test_database_paths() -> None:
    """The database lies in the data directory unless a URL says where."""
    given: Any = {"data": "/d"}
    assert Config(**given).sqlite_path == "/d/artifactstore.sqlite"
    assert Config(**given, database_url="sqlite:////x/y.db").sqlite_path == "/x/y.db"
    assert Config(**given).local_root == "/d/storage"
