"""The matrix of clients cannot pass by leaving something out."""

from __future__ import annotations

import pytest

from conformance.clients import page, run
from conformance.clients.client import Client, GoClient, PythonClient, left_out
from conformance.clients.matrix import Cell, Matrix, as_text, table
from conformance.clients.scenarios import SCENARIOS, Scenario, name_of, words_of
from conformance.clients.scene import Registry, Scene, expect
from conformance.tools import ToolMissing

PASS = Cell("pass")


def matrix(*cells: Cell) -> Matrix:
    """Two scenarios by two clients, filled row by row as far as there are cells."""
    places = [(scenario, client) for scenario in ("push_it", "pull_it") for client in ("one", "other")]
    return Matrix(["push_it", "pull_it"], ["one", "other"], dict(zip(places, cells, strict=False)))


def test_all_passed_passes() -> None:
    """A matrix passes when each cell passed or says why it does not apply."""
    assert matrix(PASS, Cell("n/a", "cannot push"), PASS, PASS).passes


@pytest.mark.parametrize(
    ("cells", "problems"),
    [
        ((PASS, PASS, PASS), ["other, pull_it: was not run"]),
        ((PASS, PASS, PASS, Cell("FAIL", "lost a byte")), ["other, pull_it: lost a byte"]),
        ((PASS, PASS, PASS, Cell("n/a")), ["other, pull_it: not applicable without a reason"]),
        ((PASS, PASS, Cell("n/a", "x"), Cell("n/a", "x")), ["pull_it: no client passed it"]),
        ((PASS, Cell("n/a", "x"), PASS, Cell("n/a", "x")), ["other: it passed no scenario"]),
    ],
)
def test_what_keeps_a_matrix_from_passing(cells: tuple[Cell, ...], problems: list[str]) -> None:
    """A failure, a missing cell, a missing reason, and a row or column without a pass each fail the whole."""
    found = matrix(*cells)
    assert not found.passes
    assert list(found.problems()) == problems


@pytest.mark.parametrize("empty", [Matrix([], []), Matrix(["push_it"], []), Matrix([], ["one"])])
def test_nothing_asked_is_no_pass(empty: Matrix) -> None:
    """A matrix without scenarios or without clients proves nothing, so it does not pass."""
    assert not empty.passes


def test_matrix_is_shown_with_footnotes_and_counts() -> None:
    """Each reason stands once below, in the order of the cells; failures and counts come last."""
    shown = as_text(matrix(PASS, Cell("n/a", "b"), Cell("n/a", "a"), Cell("FAIL", "lost a byte")))
    assert shown.splitlines() == [
        "         one    other",
        "push it  pass   n/a 1",
        "pull it  n/a 2  FAIL",
        "",
        "  1 b",
        "  2 a",
        "",
        "FAIL other, pull_it: lost a byte",
        "FAIL pull_it: no client passed it",
        "FAIL other: it passed no scenario",
        "clients: 1 passed, 1 failed, 2 not applicable",
    ]


def test_table_is_markdown() -> None:
    """A table has its first row as head."""
    assert table([["", "a"], ["b", "c"]]) == "|  | a |\n| --- | --- |\n| b | c |"


class Unable(Client):
    """A client without any operation."""

    name = "unable"

    def install(self) -> str:
        raise ToolMissing("not to be had")


def pushes(client: Client, scene: Scene) -> None:
    """It pushes."""
    client.push(scene, "1", scene.workspace)


def disagrees(client: Client, scene: Scene) -> None:
    """It finds something else."""
    expect(False, f"{client.name} found something else in {scene.repository}")


def test_operation_that_a_client_lacks_fails() -> None:
    """A client without an operation fails, unless a reason is given."""
    cell = run.play(Unable(), pushes, Registry("127.0.0.1:9"))
    assert cell == Cell("FAIL", "unable has no operation 'push' here, and no reason is given why")


def test_scenario_that_finds_a_difference_fails() -> None:
    """What a scenario did not find as it should be is told in the cell."""
    cell = run.play(Unable(), disagrees, Registry("127.0.0.1:9"))
    assert cell == Cell("FAIL", "unable found something else in clients/unable-disagrees")


def test_client_that_cannot_be_installed_fails_throughout() -> None:
    """A client that is not to be had fails in every scenario; it is never left out."""
    filled, versions = run.run([Unable()], [pushes, disagrees], Registry("127.0.0.1:9"))
    assert versions == {}
    assert {cell.why for cell in filled.cells.values()} == {"not to be had"}
    assert filled.counts() == {"pass": 0, "FAIL": 2, "n/a": 0}


def test_any_accident_is_the_cells_own() -> None:
    """What nobody foresaw fails the cell where it happened, under its name, and does not end the run."""

    def trips(client: Client, scene: Scene) -> None:
        raise AttributeError(f"{client.name} tripped")

    assert run.play(Unable(), trips, Registry("127.0.0.1:9")) == Cell("FAIL", "AttributeError: unable tripped")


def test_part_of_the_matrix_is_never_written(capsys: pytest.CaptureFixture[str]) -> None:
    """The page is written for the whole matrix only."""
    assert run.main(["--write-docs", "--client", "oras"]) == 2
    assert "only the whole matrix" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("clients", "scenarios", "expected"),
    [
        ([], ["chart_with_plus"], (["helm 4", "helm 3"], ["chart_with_plus"])),
        (["helm 3"], [], (["helm 3"], ["push_and_pull", "chart_with_plus"])),
        (["helm 3", "oras"], ["tag"], (["oras"], ["tag"])),
        (["helm 3"], ["tag"], ([], [])),
    ],
)
def test_choice_has_what_belongs_together(
    clients: list[str], scenarios: list[str], expected: tuple[list[str], list[str]]
) -> None:
    """Of what was chosen, clients and scenarios take part that have to do with each other."""
    players, played = run.chosen(clients, scenarios)
    assert ([client.name for client in players], [name_of(scenario) for scenario in played]) == expected


def test_without_a_choice_everything_takes_part() -> None:
    """The whole matrix has every client and every scenario."""
    assert run.chosen([], []) == (list(run.CLIENTS), list(SCENARIOS))


def test_first_reason_counts() -> None:
    """Reasons are by scenario; of two for one scenario the first is told."""
    assert left_out({"a": ("x", "y")}, {"b": ("y", "z")}) == {"x": "a", "y": "a", "z": "b"}


@pytest.mark.parametrize("client", run.CLIENTS, ids=lambda client: client.name)
def test_reasons_are_about_scenarios(client: Client) -> None:
    """A client gives reasons only for scenarios that there are, and is put through one at least."""
    names = {name_of(scenario) for scenario in SCENARIOS}
    assert client.cannot.keys() < names
    assert all(client.cannot.values())


@pytest.mark.parametrize("scenario", SCENARIOS, ids=name_of)
def test_scenario_is_told_and_played(scenario: Scenario) -> None:
    """Each scenario says in one sentence what must hold, and some client is put through it."""
    assert words_of(scenario).endswith(".")
    assert "|" not in words_of(scenario)
    assert any(name_of(scenario) not in client.cannot for client in run.CLIENTS)


def version(client: Client, shown: str) -> str:
    """A client's version: pinned or installed; for the distribution's own, the one that the page was written with."""
    if isinstance(client, GoClient):
        return client.tool.version
    if isinstance(client, PythonClient):
        return client.install()
    return shown.partition(f"\n| {client.name} | ")[2].partition(" |")[0]


def test_page_is_up_to_date() -> None:
    """`docs/clients.md` is what a run would write in which everything passed that is not left out for a reason."""
    shown = page.PATH.read_text(encoding="utf-8").partition("## Versions")
    filled = Matrix([name_of(scenario) for scenario in SCENARIOS], [client.name for client in run.CLIENTS])
    for client in run.CLIENTS:
        for name in filled.scenarios:
            filled.cells[name, client.name] = Cell("n/a", client.cannot[name]) if name in client.cannot else PASS
    versions = {client.name: version(client, shown[2]) for client in run.CLIENTS}
    assert page.render(filled, versions, run.CLIENTS, SCENARIOS) == "".join(shown)
