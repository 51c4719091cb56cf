"""The hand-written pages: their links lead somewhere, the code they name is there, and no noun is left out."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import artifactstore
from artifactstore.events.model import FACTS
from artifactstore.events.schema import METADATA

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "src" / "artifactstore"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "conformance").rglob("README.md"))]
TERMS = (ROOT / "docs" / "terms.md").read_text(encoding="utf-8")
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as Markdown renderers make them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    """Each relative link names a file or directory of the repository, and each anchor a heading of it."""
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if "://" not in link and (not target.exists() or (anchor and anchor not in anchors(target))):
            broken.append(link)
    assert broken == []


@cache
def defined(path: Path) -> set[str]:
    """Every class, function, method and constant of a module, methods as `Class.method`."""

    def names(body: list[ast.stmt], prefix: str) -> Iterator[str]:
        for node in body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                yield prefix + node.name
            if isinstance(node, ast.ClassDef):
                yield from names(node.body, f"{node.name}.")

    return set(names(ast.parse(path.read_text(encoding="utf-8")).body, ""))


@pytest.mark.parametrize("reference", sorted(set(re.findall(r"`([a-z_/]+\.py: [A-Za-z_.]+)`", ARCHITECTURE))))
def test_every_function_named_is_there(reference: str) -> None:
    """Each `file: name` of the architecture page is a class, function or method of that file."""
    path, _, name = reference.partition(": ")
    assert name in defined(SOURCES / path)


def test_the_house_is_drawn_as_it_stands() -> None:
    """The file tree of the architecture page names every module; of the command line, a few stand for all."""
    drawn = set(re.findall(r"\b(\w+\.py)\b", ARCHITECTURE))
    there = {
        path.name
        for path in SOURCES.rglob("*.py")
        if not {"cli", "testing", "views"} & set(path.relative_to(SOURCES).parts) and path.name != "__init__.py"
    }
    assert there - drawn == set()


def test_every_package_is_drawn() -> None:
    """The file tree of the architecture page names every package, however new."""
    there = {path.parent.relative_to(SOURCES).as_posix() for path in SOURCES.rglob("__init__.py")} - {".", "api"}
    assert {name for name in there if f"  {name}/ " not in ARCHITECTURE} == set()


def test_every_decision_is_listed() -> None:
    """The index of the documentation links every decision record and every page beside it."""
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    pages = [path for path in (ROOT / "docs").rglob("*.md") if path != ROOT / "docs" / "README.md"]
    linked = {path for path in pages if f"]({path.relative_to(ROOT / 'docs').as_posix()})" in index}
    assert set(pages) - linked == set()


@pytest.mark.parametrize("section", ["Drivers", "Options", "Outcome", "Consequences"])
def test_every_decision_has_its_parts(section: str) -> None:
    """Each decision record says what drove it, what there was to choose from, what was chosen, and what follows."""
    pages = sorted((ROOT / "docs" / "adr").glob("*.md"))
    assert pages
    assert [page.name for page in pages if f"\n## {section}\n" not in page.read_text(encoding="utf-8")] == []


@pytest.mark.parametrize("noun", [*METADATA.tables, *FACTS, *artifactstore.__all__])
def test_every_noun_has_its_meaning(noun: str) -> None:
    """The page of terms has a row for each table and each type of event, and names each public name of the library."""
    row = next((line for line in TERMS.splitlines() if line.startswith("|") and f"`{noun}`" in line), None)
    assert row is not None
    assert len(row.split("|")[2].strip()) > len("digest")


def test_no_term_is_defined_twice() -> None:
    """Each term has one row."""
    terms = re.findall(r"^\| ([^|]+?) \|", TERMS, re.MULTILINE)
    terms = [term for term in terms if term not in {"term", "table", "event type", "---"}]
    assert sorted(terms) == sorted(set(terms))
