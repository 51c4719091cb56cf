"""The abuse finds each fault that is planted into a server, and none in a sound one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest

from conformance.abuse.refused import bad_name, bad_place
from conformance.abuse.run import REFUSED, send_batches
from conformance.abuse.shots import World, request
from conformance.abuse.state import Asking, digest, prepare
from tests.http import broken
from tests.http.broken import Breaking, Rule, in_front
from tests.stores import fresh_config

STATUS = broken.other_status
WORLD = World("abuse/held", ("/v2/abuse/held/blobs/uploads/u",), 5, {f"sha256:{'1' * 64}": 2}, f"sha256:{'2' * 64}")


def take_it_anywhere(exchange: broken.Exchange) -> None:
    """Take a chunk of the held uploads wherever it begins,"""
    if exchange.method == "PATCH" and "/held/" in exchange.path:
        exchange.scope["moved"] = bool(exchange.asked(b"content-range"))
        broken.drop_request_header(exchange, b"content-range")


def and_say_nothing(exchange: broken.Exchange) -> None:
    """and answer as if it had been refused."""
    if exchange.scope.get("moved") and exchange.status == 202:
        exchange.answer(416, b'{"errors": [{"code": "BLOB_UPLOAD_INVALID", "message": "no", "detail": {}}]}')


def forget_the_length(exchange: broken.Exchange) -> None:
    """Say that an upload has one byte more than it has."""
    if exchange.method == "PATCH" and exchange.status == 202:
        exchange.set(b"range", b"0-9999")


FAULTS: dict[str, tuple[Rule, Rule, str]] = {
    "a 500": (broken.nothing, partial(STATUS, method="GET", found=404, instead=500), "status=500"),
    "a refusal that is none": (broken.nothing, partial(STATUS, method="PUT", found=400, instead=201), "status=201"),
    "another status": (broken.nothing, partial(STATUS, method="PATCH", found=416, instead=400), "400 with the code"),
    "an unlisted code": (broken.nothing, broken.unlisted_code, "with the code"),
    "an error in words": (broken.nothing, broken.errors_in_words, "with the code ''"),
    "a change": (take_it_anywhere, and_say_nothing, "changed what the server holds"),
    "bytes that were lost": (broken.nothing, forget_the_length, "the upload does not have"),
}


@pytest.fixture(scope="module")
def front() -> Iterator[tuple[int, Breaking]]:
    """The port of a server that can break rules, and the rules."""
    with TemporaryDirectory(prefix="artifactstore-abuse-") as folder:
        config = fresh_config(Path(folder, "data"), port=0, unsafe_no_sync=True)
        with in_front(config) as (url, breaking):
            yield int(url.rpartition(":")[2]), breaking


@pytest.fixture
def breaking(front: tuple[int, Breaking]) -> Iterator[Breaking]:
    """The server's rules, none of them broken before and after the test."""
    yield front[1]
    front[1].before = front[1].after = broken.nothing


async def test_nothing_is_found_in_a_sound_server(front: tuple[int, Breaking]) -> None:
    """Every kind of request is sent, and every answer is one that it may have."""
    tally = await send_batches(front[0], 2500, "sound", lambda: None)
    assert tally.faults == []
    assert len(tally.sent) > len(REFUSED)


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_planted_fault_is_found(front: tuple[int, Breaking], breaking: Breaking, fault: str) -> None:
    """A server that makes one kind of mistake is found out, by name."""
    before, after, words = FAULTS[fault]
    breaking.before, breaking.after = before, after
    tally = await send_batches(front[0], 2500, fault, lambda: None)
    assert any(words in found for found in tally.faults), tally.faults


async def test_the_state_is_all_that_can_be_asked_for(front: tuple[int, Breaking]) -> None:
    """A byte more in an upload, or a tag, makes another state; asking makes none."""
    with closing(Asking(front[0])) as asking:
        world = await prepare(asking)
        first = await digest(asking, world)
        assert await digest(asking, world) == first
        await asking.ask(request("PATCH", world.uploads[-1], b"x"), 202)
        second = await digest(asking, world)
        await asking.ask(request("DELETE", f"/v2/{world.held}/manifests/v1"), 202)
        assert len({first, second, await digest(asking, world)}) == 3


def test_a_seed_decides_what_is_sent() -> None:
    """The same seed makes the same requests, another one others."""

    def made(seed: str) -> list[bytes]:
        random = Random(seed)
        return [kind(random, WORLD).data for kind in REFUSED for _ in range(20)]

    assert made("1") == made("1")
    assert made("1") != made("2")


def test_every_refusal_says_what_may_come() -> None:
    """A refused kind names statuses below 500, never a success."""
    random = Random("1")
    for kind in (bad_name, bad_place):
        assert all(400 <= status < 500 for status in kind(random, WORLD).allowed)
