"""A layout by where it lies: a directory, an archive, or a stream that is one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from artifactstore.errors import ParameterInvalid
from artifactstore.transfer.layout_directory import DirectoryFiles, DirectoryKeeper
from artifactstore.transfer.layout_source import Layout, LayoutFiles
from artifactstore.transfer.layout_tar import TarFiles, TarKeeper
from artifactstore.transfer.layout_target import LayoutWriter

STANDARD_INPUT = "standard input"


async def open_layout(place: Path | BinaryIO) -> Layout:
    """A layout to copy from; leave it as a block, or close its files.

    Raises ParameterInvalid when nothing is there, ManifestInvalid for what is no layout, BackendUnavailable.
    """
    files = await _files(place)
    try:
        return await Layout.read(files)
    except BaseException:
        await files.close()
        raise


async def _files(place: Path | BinaryIO) -> LayoutFiles:
    if not isinstance(place, Path):
        return await TarFiles.spooled(place, STANDARD_INPUT)
    if _is_directory(place):
        return DirectoryFiles(place)
    return await TarFiles.open(place)


def _is_directory(place: Path) -> bool:
    """Raises ParameterInvalid when nothing is there."""
    if not place.exists():
        raise ParameterInvalid(f"there is no {place}")
    return place.is_dir()


def new_layout(
    place: Path | BinaryIO, on_written: Callable[[int, int], None] = lambda done, total: None
) -> LayoutWriter:
    """A layout to copy to: an archive when the name ends in `.tar` or it is a stream, else a directory."""
    if isinstance(place, Path) and place.suffix != ".tar":
        return LayoutWriter(DirectoryKeeper(place))
    return LayoutWriter(TarKeeper(place, on_written))
