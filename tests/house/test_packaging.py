"""What is installed is locked by hash, and what is shipped is whole."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKED = sorted((ROOT / "requirements").glob("*.txt"))


def pins(path: Path) -> dict[str, str]:
    """Every requirement of a locked file: its name and the version it is pinned at."""
    found = re.findall(r"^([a-z0-9-]+)==(\S+)", path.read_text(), re.MULTILINE)
    return dict(found)


@pytest.mark.parametrize("path", LOCKED, ids=lambda path: path.name)
def test_every_requirement_is_pinned_by_hash(path: Path) -> None:
    """Each requirement names one version and at least one hash, and nothing else is in the file."""
    joined = re.sub(r"\\\n\s*", "", path.read_text())
    lines = [line for line in joined.splitlines() if line and not line.lstrip().startswith("#")]
    assert lines
    for line in lines:
        assert re.fullmatch(r"[a-z0-9-]+==\S+ (?:; [^#]+? )?(?:--hash=sha256:[0-9a-f]{64} ?)+", line), line


@pytest.mark.parametrize("path", [*LOCKED, ROOT / "pyproject.toml"], ids=lambda path: path.name)
def test_no_download_address_is_recorded(path: Path) -> None:
    """Where packages come from is the machine's business: no address and no index option is written down."""
    assert re.findall(r"\w+://|--(?:extra-)?index-url|--find-links|--trusted-host", path.read_text()) == []


def test_there_is_no_lock_with_addresses() -> None:
    """The hashed requirement files are the only lock."""
    assert not (ROOT / "uv.lock").exists()


def test_development_uses_the_runtime_versions() -> None:
    """What the tests run with is what is shipped, version for version."""
    development = pins(ROOT / "requirements" / "dev.txt")
    runtime = pins(ROOT / "requirements" / "runtime.txt")
    assert runtime.items() <= development.items()


def test_wheel_holds_package_and_migrations(tmp_path: Path) -> None:
    """The wheel carries every module, the typing marker, the migrations, and beside them the manual page alone."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    modules = {f"artifactstore/{path.relative_to(ROOT / 'src/artifactstore').as_posix()}" for path in sources("src")}
    migrations = {f"artifactstore/{path.relative_to(ROOT).as_posix()}" for path in sources("migrations")}
    assert migrations
    assert modules | migrations | {"artifactstore/py.typed"} <= names
    beside = {name.partition(".data/")[2] for name in names if not name.startswith("artifactstore/")}
    assert beside == {"data/share/man/man1/artifactstore.1"}


def sources(folder: str) -> list[Path]:
    """The Python files below a folder of the repository."""
    return sorted((ROOT / folder).rglob("*.py"))
