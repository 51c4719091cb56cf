from __future__ import annotations

import json

from typer.testing import CliRunner

from artifactstore.cli.main import app
from artifactstore.config import Config, shown, to_text


def settings(*arguments: str, **environment: str) -> dict[str, dict[str, str]]:
    """What `config show --json` says of each setting."""
    result = CliRunner().invoke(app, ["config", "show", "--json", *arguments], env=environment)
    assert result.exit_code == 0, result.stderr
    return {row["name"]: row for row in json.loads(result.stdout)["settings"]}


def test_every_setting_is_shown() -> None:
    """`config show` has every setting with its variable, in the order of the documentation."""
    found = settings()
    assert list(found) == list(to_text(Config()))
    assert found["blob_size_max"] == {
        "name": "blob_size_max",
        "variable": "ARTIFACTSTORE_BLOB_SIZE_MAX",
        "value": str(1 << 40),
        "source": "default",
    }


def test_each_says_where_it_comes_from() -> None:
    """An option wins over the environment, which wins over the default, and the source says which it was."""
    found = settings("--data", "/here", ARTIFACTSTORE_DATA="/there", ARTIFACTSTORE_PORT="9000")
    assert (found["data"]["value"], found["data"]["source"]) == ("/here", "option")
    assert (found["port"]["value"], found["port"]["source"]) == ("9000", "environment")
    assert (found["workers"]["value"], found["workers"]["source"]) == ("1", "default")


def test_derived_paths_are_shown_in_full() -> None:
    """Where a default follows from another setting, what counts is shown."""
    found = settings("--data", "/here")
    assert found["database_url"]["value"] == "sqlite:////here/artifactstore.sqlite"
    assert found["storage_local_root"]["value"] == "/here/storage"


def test_text_is_a_line_a_setting() -> None:
    """Without --json each setting is a line with its variable, value and source."""
    result = CliRunner().invoke(app, ["config", "show"], env={"ARTIFACTSTORE_DELETE_BLOBS": "false"})
    assert "ARTIFACTSTORE_DELETE_BLOBS\tfalse\tenvironment" in result.stdout.splitlines()


def test_a_mistake_is_refused() -> None:
    """A variable that is no setting is said to be none, as by every command."""
    result = CliRunner().invoke(app, ["config", "show"], env={"ARTIFACTSTORE_NONSENSE": "1"})
    assert result.exit_code == 7
    assert "ARTIFACTSTORE_NONSENSE" in result.stderr


def test_passwords_are_left_out() -> None:
    """A password in an address is never shown; the rest of it is."""
    config = Config(database_url="postgresql://me:hunter2@host/db", storage_local_root="s3://key:hunter2@host/bucket")
    assert shown(config)["database_url"] == "postgresql://me:***@host/db"
    assert shown(config)["storage_local_root"] == "s3://key:***@host/bucket"
