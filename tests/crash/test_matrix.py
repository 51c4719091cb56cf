"""A sample of the crash matrix; `make crash` runs the whole."""

from __future__ import annotations

from collections import Counter

from artifactstore.storage.files import Files
from artifactstore.storage.files_wrapped import UnsyncedFiles
from artifactstore.testing.crash import PLACES, run_matrix
from artifactstore.testing.crash_power import lose_power
from artifactstore.testing.crash_scenarios import SCENARIOS
from artifactstore.testing.faulty import Fault


def test_sample_of_the_matrix() -> None:
    """Struck at every 37th boundary, in every way, the store keeps all it acknowledged and shows nothing half."""
    lines: list[str] = []
    outcomes, lost = run_matrix(37, out=lines.append)
    assert [outcome for outcome in outcomes if outcome.wrong] == []
    assert lost == []
    struck = Counter((outcome.strike.scenario, outcome.strike.place) for outcome in outcomes if outcome.struck)
    assert set(struck) == {(scenario, place) for scenario in SCENARIOS for place in PLACES}
    assert {outcome.strike.fault for outcome in outcomes if outcome.struck} == set(Fault)


def test_power_loss_is_noticed() -> None:
    """Without syncs the same look at the disk finds what would be lost: the look has teeth."""

    def unsynced(files: Files) -> Files:
        return UnsyncedFiles(files)

    assert lose_power("blob push", lambda line: None, unsynced) != []
