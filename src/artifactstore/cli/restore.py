"""`artifactstore restore`."""

from __future__ import annotations

from typing import Annotated

import typer

from artifactstore.cli import backup, output
from artifactstore.cli.examples import examples
from artifactstore.cli.store import AsJson, Data, is_store, settings

Directory = Annotated[str, typer.Argument(metavar="DIR", help="The directory of the backup.")]


@examples(
    "restore /backup/artifacts --data /srv/artifacts",
    "restore /backup/artifacts --data /tmp/drill --json",
)
def restore(directory: Directory, data: Data = None, as_json: AsJson = False) -> None:
    """Copy the backup in DIR to the data directory, where no store may be; every byte and every view is checked.

    What was interrupted goes on when it is called again. Ends with 6 when something in DIR is damaged.
    """
    from artifactstore import bootstrap
    from artifactstore.errors import ConfigInvalid

    config = settings(data=data)
    if not is_store(bootstrap.in_directory(config, directory)):
        raise ConfigInvalid(f"there is no backup in {directory}")
    backup.show(bootstrap.restore(config, directory, stage=output.progress), as_json)
