"""The settings: the only reader of the environment, and one frozen Config made of it.

Every setting is `ARTIFACTSTORE_<NAME>` in the environment; from `Config` and `DESCRIPTIONS` the docs and
`.env.example` are made.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from artifactstore.errors import ConfigInvalid

PREFIX = "ARTIFACTSTORE_"
MEBIBYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Config:
    """All settings. Sizes in bytes, times in seconds; an empty text means the default that its description names."""

    data: str = "./data"
    database_url: str = ""
    storage_local_root: str = ""
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    log_level: str = "info"
    access_log: str = "stdout"
    head_size_max: int = 64 << 10
    manifest_size_max: int = 4 * MEBIBYTE
    blob_size_max: int = 1 << 40
    upload_expiry: int = 24 * 3600
    uploads_open_max: int = 10_000
    page_size_max: int = 10_000
    read_cache_size: int = 32 * MEBIBYTE
    tags_per_push_max: int = 100
    sparse_repositories: tuple[str, ...] = ()
    delete_blobs: bool = True
    delete_manifests: bool = True
    sweep_interval: int = 3600
    drain_seconds: int = 30
    read_only: bool = False
    unsafe_no_sync: bool = False
    unsafe_open_to_network: bool = False

    @property
    def sqlite_path(self) -> str:
        """Where the SQLite file lies."""
        return self.database_url.removeprefix("sqlite:///") or str(Path(self.data, "artifactstore.sqlite"))

    @property
    def local_root(self) -> str:
        """The directory of the local storage backend."""
        return self.storage_local_root or str(Path(self.data, "storage"))


DESCRIPTIONS: Mapping[str, str] = {
    "data": "Directory of everything that is stored, unless the next settings say otherwise.",
    "database_url": "`sqlite:///PATH`. Default: `artifactstore.sqlite` in the data directory.",
    "storage_local_root": "Directory of the objects and of bytes in flight. Default: `storage` in the data directory.",
    "host": "Address to listen on. Anything but loopback is refused while there is no authentication.",
    "port": "Port to listen on; 0 takes a free one and prints it.",
    "workers": "Server processes. They share the database and the storage.",
    "log_level": "`critical`, `error`, `warning`, `info` or `debug`.",
    "access_log": "Where a line for each request goes: `stdout`, `stderr`, the path of a file, or `off`.",
    "head_size_max": "Largest request line and headers together, in bytes; the line may take half of it.",
    "manifest_size_max": "Largest manifest, in bytes; clients count on 4 MiB.",
    "blob_size_max": "Largest blob, in bytes.",
    "upload_expiry": "Seconds after its start at which an unfinished upload is forgotten.",
    "uploads_open_max": "Most uploads open at a time.",
    "page_size_max": "Most entries in one page of a list.",
    "read_cache_size": "Bytes of small objects, such as manifests, that each process keeps in memory.",
    "tags_per_push_max": "Most tags that one manifest push may set.",
    "sparse_repositories": "Comma-separated repository prefixes that accept manifests without their content; `*`: all.",
    "delete_blobs": "Whether blobs may be deleted; if not, 405.",
    "delete_manifests": "Whether manifests and tags may be deleted; if not, 405.",
    "sweep_interval": "Seconds between two sweeps of what crashes and abandoned uploads left; 0: never.",
    "drain_seconds": "Seconds that running requests get to finish at shutdown.",
    "read_only": "Refuse every change, and write nothing; `serve --read-only` is the same.",
    "unsafe_no_sync": "Do not sync to disk. Fast, and acknowledged pushes may be lost or damaged at power loss.",
    "unsafe_open_to_network": "Listen beyond loopback without authentication: who reaches it may read and delete all.",
}
"""Setting -> what it does, for people."""

LOG_LEVELS = ("critical", "error", "warning", "info", "debug")
ACCESS_LOGS = ("stdout", "stderr", "off")
_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off", ""}


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.upper()


def load(overrides: Mapping[str, Any] | None = None, environment: Mapping[str, str] | None = None) -> Config:
    """Read the environment, let `overrides` (None values apart) win, and check the whole. Raises ConfigInvalid.

    A variable that has the prefix and is no setting is refused, so that a misspelt one cannot go unseen.
    """
    config, _ = load_with_sources(overrides, environment)
    return config


def load_with_sources(
    overrides: Mapping[str, Any] | None = None, environment: Mapping[str, str] | None = None
) -> tuple[Config, dict[str, str]]:
    """As `load`, and where each setting comes from: `default`, `environment` or `option`."""
    environment = os.environ if environment is None else environment
    known = {variable(field.name): field.name for field in fields(Config)}
    sources = dict.fromkeys(known.values(), "default")
    given: dict[str, Any] = {}
    for key, text in environment.items():
        if not key.startswith(PREFIX):
            continue
        if key not in known:
            raise ConfigInvalid(f"{key} is not a setting", detail={"known": sorted(known)})
        given[known[key]] = _parse(known[key], text)
        sources[known[key]] = "environment"
    wins = {name: value for name, value in (overrides or {}).items() if value is not None}
    sources |= dict.fromkeys(wins, "option")
    return check(replace(Config(), **(given | wins))), sources


def check(config: Config) -> Config:
    """The config itself, if it makes sense as a whole. Raises ConfigInvalid."""
    if not config.data:
        raise ConfigInvalid("the data directory's name is empty: ARTIFACTSTORE_DATA, or the option, must name one")
    if config.database_url and not config.database_url.startswith("sqlite:///"):
        raise ConfigInvalid("ARTIFACTSTORE_DATABASE_URL must begin with sqlite:/// in this version")
    if config.log_level not in LOG_LEVELS:
        raise ConfigInvalid(f"ARTIFACTSTORE_LOG_LEVEL must be one of {', '.join(LOG_LEVELS)}")
    if config.access_log not in ACCESS_LOGS and "/" not in config.access_log:
        raise ConfigInvalid(f"ARTIFACTSTORE_ACCESS_LOG must be one of {', '.join(ACCESS_LOGS)}, or a path with a slash")
    for name, least in _LEAST.items():
        if getattr(config, name) < least:
            raise ConfigInvalid(f"{variable(name)} must be {least} at least")
    if config.port > 65535:
        raise ConfigInvalid("ARTIFACTSTORE_PORT must be at most 65535")
    return config


def require_private(config: Config) -> None:
    """Refuse to listen beyond loopback while nobody has to say who they are. Raises ConfigInvalid."""
    if is_loopback(config.host) or config.unsafe_open_to_network:
        return
    raise ConfigInvalid(
        f"refusing to listen on {config.host}: no authentication is configured, so everybody who reaches it could read "
        "and delete everything. Listen on 127.0.0.1 and put a proxy that authenticates in front, or set "
        "ARTIFACTSTORE_UNSAFE_OPEN_TO_NETWORK=true if the network itself keeps strangers out."
    )


def docker_config(environment: Mapping[str, str] | None = None) -> Path:
    """Where `docker login` and its like keep logins: `$DOCKER_CONFIG/config.json`, else `~/.docker/config.json`."""
    environment = os.environ if environment is None else environment
    return Path(environment.get("DOCKER_CONFIG") or Path.home() / ".docker", "config.json")


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def notify_socket(environment: Mapping[str, str] | None = None) -> str | None:
    """Where systemd wants to be told that the server is ready (sd_notify(3)); no setting of ours."""
    return (os.environ if environment is None else environment).get("NOTIFY_SOCKET") or None


def to_text(config: Config) -> dict[str, str]:
    """Every setting as the text that its variable would have."""
    return {name: _format(value) for name, value in asdict(config).items()}


def shown(config: Config) -> dict[str, str]:
    """Every setting as it counts, for people and logs: derived paths in full, passwords left out."""
    database = config.database_url or f"sqlite:///{config.sqlite_path}"
    derived = {"database_url": database, "storage_local_root": config.local_root}
    return {name: _PASSWORD.sub(r"\1***@", text) for name, text in (to_text(config) | derived).items()}


_PASSWORD = re.compile(r"(://[^/@:]*:)[^/@]*@")

_LEAST = {
    "port": 0,
    "workers": 1,
    "head_size_max": 8 << 10,
    "manifest_size_max": 4 * MEBIBYTE,
    "blob_size_max": 1,
    "upload_expiry": 60,
    "uploads_open_max": 1,
    "page_size_max": 100,
    "tags_per_push_max": 10,
    "read_cache_size": 0,
    "sweep_interval": 0,
    "drain_seconds": 0,
}


def _parse(name: str, text: str) -> Any:
    default = getattr(Config(), name)
    read: Callable[[str], Any] = str
    if isinstance(default, bool):
        read = _boolean
    elif isinstance(default, int):
        read = int
    elif isinstance(default, tuple):
        read = _list
    try:
        return read(text.strip())
    except ValueError:
        raise ConfigInvalid(f"{variable(name)} is not a {type(default).__name__}: {text[:100]!r}") from None


def _boolean(text: str) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise ValueError(text)


def _list(text: str) -> tuple[str, ...]:
    return tuple(item.strip().strip("/") for item in text.split(",") if item.strip())


def _format(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(value) if isinstance(value, tuple) else str(value)
