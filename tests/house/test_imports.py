"""What an import brings with it: nobody waits for, or needs, what they do not use."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"sqlalchemy", "starlette", "uvicorn", "typer", "rich", "alembic", "httptools", "httpx", "uvloop"}


def imported(code: str) -> set[str]:
    """The top-level names of the modules that a fresh interpreter has after running `code`."""
    printing = "import sys; print('\\n'.join({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", f"{code}\n{printing}"], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def test_import_of_the_package_brings_nothing_heavy() -> None:
    """`import artifactstore` imports neither server nor command line nor database."""
    assert not HEAVY & imported("import artifactstore")


@pytest.mark.parametrize("name", ["Registry", "open_memory"])
def test_library_needs_no_server(name: str) -> None:
    """The library's own names bring SQLAlchemy, and neither web framework nor command line nor migrations."""
    assert HEAVY & imported(f"import artifactstore; artifactstore.{name}") <= {"sqlalchemy"}


def test_open_store_needs_no_server() -> None:
    """A store that works has no web framework and no command line in its process."""
    assert HEAVY & imported("import artifactstore; artifactstore.open_memory()") <= {"sqlalchemy", "alembic"}


def test_commands_import_what_they_use() -> None:
    """`artifactstore version` starts without database, server and migrations."""
    code = "from typer.testing import CliRunner; from artifactstore.cli.main import app; "
    found = imported(code + "assert CliRunner().invoke(app, ['version']).exit_code == 0")
    assert HEAVY & found <= {"typer", "rich"}


def test_shell_completion_imports_next_to_nothing() -> None:
    """The command line alone brings no event loop and no client: a key press must not wait for what it does not use."""
    found = imported("import artifactstore.cli.main")
    assert not {"asyncio", "ssl", "httpx", "pydantic"} & found
    assert HEAVY & found <= {"typer"}


def test_public_names_are_those_announced() -> None:
    """Every name of `__all__` is there, and no other name is made up on demand."""
    code = "import artifactstore as a; [getattr(a, name) for name in a.__all__]; assert not hasattr(a, 'nothing')"
    imported(code)
