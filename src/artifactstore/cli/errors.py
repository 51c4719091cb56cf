"""Errors to exit codes: one table of every code in the error tree."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import IntEnum

import typer

from artifactstore.errors import ArtifactStoreError, BackendUnavailable, ParameterInvalid


class Exit(IntEnum):
    """What the command ended with; each member's text says when.

    2 is also what a command line that cannot be parsed ends with.
    """

    text: str

    def __new__(cls, code: int, text: str) -> Exit:
        member = int.__new__(cls, code)
        member._value_ = code
        member.text = text
        return member

    OK = 0, "done"
    FOUND = 1, "the command worked and found something wrong: views that differ, a store that is not ready"
    INPUT = 2, "the command line or what it names makes no sense"
    UNKNOWN = 3, "what was asked for does not exist"
    CONFLICT = 4, "sound, but it does not fit the present state"
    UNAVAILABLE = 5, "database or storage does not answer; try again later"
    CORRUPT = 6, "stored bytes, the log or the views are damaged"
    CONFIG = 7, "a setting or the database's schema is not what this program needs"
    DENIED = 8, "not allowed, or switched off"
    INTERNAL = 70, "a mistake of this program"
    INTERRUPTED = 130, "Ctrl-C"
    PIPE = 141, "whoever read the output stopped reading"


EXITS: Mapping[str, Exit] = {
    "NAME_INVALID": Exit.INPUT,
    "DIGEST_INVALID": Exit.INPUT,
    "SIZE_INVALID": Exit.INPUT,
    "SIZE_EXCEEDED": Exit.INPUT,
    "MANIFEST_INVALID": Exit.INPUT,
    "MANIFEST_BLOB_UNKNOWN": Exit.INPUT,
    "BLOB_UPLOAD_INVALID": Exit.INPUT,
    "RANGE_INVALID": Exit.INPUT,
    "CHUNK_OUT_OF_ORDER": Exit.CONFLICT,
    "PARAMETER_INVALID": Exit.INPUT,
    "NOT_ACCEPTABLE": Exit.INPUT,
    "UNSUPPORTED": Exit.DENIED,
    "READ_ONLY": Exit.DENIED,
    "DENIED": Exit.DENIED,
    "NAME_UNKNOWN": Exit.UNKNOWN,
    "BLOB_UNKNOWN": Exit.UNKNOWN,
    "MANIFEST_UNKNOWN": Exit.UNKNOWN,
    "BLOB_UPLOAD_UNKNOWN": Exit.UNKNOWN,
    "FILE_UNKNOWN": Exit.UNKNOWN,
    "NOT_FOUND": Exit.UNKNOWN,
    "LOG_REWOUND": Exit.CONFLICT,
    "DIRECTORY_OCCUPIED": Exit.CONFLICT,
    "UPLOAD_BUSY": Exit.CONFLICT,
    "TOOMANYREQUESTS": Exit.CONFLICT,
    "UNAVAILABLE": Exit.UNAVAILABLE,
    "INGEST_EXPIRED": Exit.UNAVAILABLE,
    "FACTS_CHANGED": Exit.UNAVAILABLE,
    "OBJECT_MISSING": Exit.CORRUPT,
    "OBJECT_CORRUPT": Exit.CORRUPT,
    "LOG_CORRUPT": Exit.CORRUPT,
    "SCHEMA_UNSUPPORTED": Exit.CONFIG,
    "CONFIG_INVALID": Exit.CONFIG,
    "INTERNAL": Exit.INTERNAL,
}
"""Code -> how the command ends. `INTERNAL` is the root of the tree."""


HINTS: Mapping[str, str] = {
    "NAME_UNKNOWN": "`artifactstore repo ls` lists the repositories",
    "MANIFEST_UNKNOWN": "`artifactstore ls REPO` lists what there is",
    "FILE_UNKNOWN": "`artifactstore show REPO:TAG` lists its files",
    "NAME_INVALID": "a package is REPO:TAG or REPO@DIGEST, in small letters up to the colon",
    "DIGEST_INVALID": "a digest is ALGORITHM:HEX, whole",
    "LOG_REWOUND": "a backup was restored, or it is another log: begin again with --after 0",
    "UNAVAILABLE": "try again later; `artifactstore health` says more about a data directory",
    "LOG_CORRUPT": "restore a backup; `artifactstore replay --check` says what differs",
    "OBJECT_MISSING": "restore the object from a backup, or push it again",
    "OBJECT_CORRUPT": "restore the object from a backup, or push it again",
    "INTERNAL": "please report it, with what was printed above",
}
"""Code -> what may help, where something does that the message does not say by itself."""

LASTING = frozenset(
    {errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.EROFS, errno.EBADF}
)
"""What the operating system says that trying again does not change. A failed TLS handshake has EPERM's number."""


@contextmanager
def translated() -> Iterator[None]:
    """Whatever ends a command early becomes a line for people on standard error and an exit code."""
    try:
        yield
        sys.stdout.flush()
    except ArtifactStoreError as error:
        raise _ended(error) from error
    except KeyboardInterrupt:
        raise typer.Exit(Exit.INTERRUPTED) from None
    except BrokenPipeError:
        _discard_output()
        raise typer.Exit(Exit.PIPE) from None
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        unavailable = BackendUnavailable(f"{error.strerror or error}{where}")
        unavailable.__cause__ = error
        raise _ended(unavailable) from error
    except UnicodeEncodeError as error:
        raise _ended(ParameterInvalid(f"not UTF-8 text: {error.object[:200]!r}")) from error
    except (typer.Exit, typer.Abort):
        raise
    except Exception as error:
        if hasattr(error, "exit_code"):  # a mistake on the command line, which typer says by itself
            raise
        traceback.print_exc()
        _say(ArtifactStoreError(f"this program failed: {type(error).__name__}"))
        raise typer.Exit(Exit.INTERNAL) from error


def _ended(error: ArtifactStoreError) -> typer.Exit:
    """Says the error; the exit that stands for it."""
    try:
        sys.stdout.flush()
    except OSError:
        _discard_output()
    _say(error)
    return typer.Exit(EXITS.get(error.code, Exit.INTERNAL))


def _discard_output() -> None:
    """Nobody takes the output: what is still buffered goes nowhere, so that the interpreter can flush it in peace."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _lasts(error: BaseException) -> bool:
    """Whether the operating system said something, somewhere below, that stays so."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.errno in LASTING:
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def _say(error: ArtifactStoreError) -> None:
    """One line with the code and what may help, then the details, a line each."""
    hint = None if isinstance(error, BackendUnavailable) and _lasts(error) else HINTS.get(error.code)
    typer.echo(f"error: {error.message} ({error.code}){f': {hint}' if hint else ''}", err=True)
    for name, value in error.detail.items():
        typer.echo(f"  {name}: {value}", err=True)
