"""Opening the store that a command works on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from artifactstore.cli import completing

if TYPE_CHECKING:
    from artifactstore.config import Config
    from artifactstore.registry.registry import Registry

T = TypeVar("T")

Data = Annotated[
    str | None,
    typer.Option("--data", metavar="DIR", help="The data directory. Default: $ARTIFACTSTORE_DATA, or ./data."),
]
Server = Annotated[
    str | None, typer.Option("--server", metavar="URL", help="Ask this server, not a data directory on this machine.")
]
Package = Annotated[
    str,
    typer.Argument(
        metavar="REPO:TAG|REPO@DIGEST",
        help="A package, by tag or any digest.",
        autocompletion=completing.packages,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def settings(**overrides: object) -> Config:
    """The environment's settings, with those of the command line over them. Raises ConfigInvalid."""
    from artifactstore.config import load

    return load(overrides)


def existing(data: str | None) -> Config:
    """The settings of a store that is there. A command that reads makes none. Raises ConfigInvalid."""
    from artifactstore.errors import ConfigInvalid

    config = settings(data=data)
    if not is_store(config):
        raise ConfigInvalid(
            f"there is no store at {config.sqlite_path}: name its directory with --data, or make one with "
            "`artifactstore migrate` or `artifactstore serve`"
        )
    return config


def is_store(config: Config) -> bool:
    """Whether there is a store where the settings say. Raises ConfigInvalid where that cannot be seen, or not read."""
    import os
    from pathlib import Path
    from stat import S_ISREG

    from artifactstore.errors import ConfigInvalid

    path = config.sqlite_path
    try:
        is_file, is_readable = S_ISREG(Path(path).stat().st_mode), os.access(path, os.R_OK)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except PermissionError:
        is_file, is_readable = True, False
    except OSError as error:
        raise ConfigInvalid(f"no store can be at {path}: {error.strerror}") from None
    if not is_readable:
        raise ConfigInvalid(
            f"permission denied at {path}: it belongs to another user; run as that user, or use --server URL"
        )
    return is_file


def with_registry(data: str | None, work: Callable[[Registry], Awaitable[T]]) -> T:
    """Open an existing store, do the work, close it. Raises ConfigInvalid, SchemaUnsupported, BackendUnavailable."""
    import asyncio

    from artifactstore.bootstrap import open_registry

    async def opened() -> T:
        registry = open_registry(existing(data))
        try:
            return await work(registry)
        finally:
            await registry.close()

    return asyncio.run(opened())
