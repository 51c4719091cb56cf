"""`artifactstore`: every command by name. Each imports what it needs when it runs; none waits for the others."""

from __future__ import annotations

import io
import os
import sys
from typing import Annotated, Any

import typer
from typer.completion import completion_init  # type: ignore[attr-defined]  # its home is a private module
from typer.core import TyperGroup

from artifactstore.cli import (
    backup,
    completion,
    config,
    cp,
    events,
    export,
    health,
    import_,
    ls,
    manifest,
    migrate,
    replay,
    repo,
    restore,
    rm,
    serve,
    show,
    sweep,
    tag,
    version,
)
from artifactstore.cli.errors import Exit, translated


class Translating(TyperGroup):
    """The group of all commands: what one of them raises becomes a message and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        with translated():
            return super().invoke(ctx)


EPILOG = (
    "Settings come from the environment (ARTIFACTSTORE_...); options win over them: `artifactstore config show`.\n\n"
    f"Exit codes: {', '.join(f'{int(code)} ({code.text})' for code in Exit)}."
)


def _group(name: str, words: str) -> typer.Typer:
    """Commands of two words; the first one is `name`."""
    made = typer.Typer(help=words, no_args_is_help=True)
    app.add_typer(made, name=name)
    return made


app = typer.Typer(
    name="artifactstore",
    cls=Translating,
    help="An artifact store that can prove what it keeps.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(serve.serve)
app.command()(migrate.migrate)
app.command()(health.health)
app.command()(version.version)
app.command()(ls.ls)
app.command()(show.show)
app.command()(manifest.manifest)
app.command()(tag.tag)
app.command()(rm.rm)
app.command()(cp.cp)
app.command()(export.export)
app.command(name="import")(import_.import_)
repositories = _group("repo", "Repositories as a whole: list them, delete them.")
repositories.command()(repo.ls)
repositories.command()(repo.rm)
app.command()(events.events)
app.command()(replay.replay)
app.command()(sweep.sweep)
app.command()(backup.backup)
app.command()(restore.restore)
app.command()(completion.completion)
settings = _group("config", "The settings that count here.")
settings.command()(config.show)


def _say_version(asked: bool) -> None:
    if asked:
        version.version()
        raise typer.Exit(Exit.OK)


@app.callback()
def options(
    asked: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_say_version, help="Say the version and leave.")
    ] = False,
) -> None:
    """An artifact store that can prove what it keeps."""


def _stand_in_for_closed_streams() -> None:
    """Where a standard stream is closed (`>&-`), another file would take its number, a database even.

    To write to the stand-in for standard output fails, as it should: what was asked for cannot be told.
    """
    for name, flags, mode in (("stdin", os.O_RDONLY, "r"), ("stdout", os.O_RDONLY, "w"), ("stderr", os.O_WRONLY, "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, flags), mode, closefd=False))


def main() -> None:
    """Run the command that the arguments of this process name, and leave with its exit code."""
    _stand_in_for_closed_streams()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a path need not be UTF-8
    completion_init()  # the shells that it can talk to
    app(prog_name="artifactstore")
