"""The server and its OpenAPI document say the same: of what the document lets be asked, and of what it does not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, assume, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    negative_data_rejection,
    positive_data_acceptance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from artifactstore.api.http import openapi
from artifactstore.identity.names import NAME_LENGTH_MAX
from tests.http.oci_client import Repository, descriptor, image
from tests.http.servers import Server, in_thread
from tests.stores import fresh_config

DOCUMENT = schemathesis.openapi.from_dict(openapi.document())
ALWAYS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
    unsupported_method,
    allow_header_conformance,
]
NATIVE = [*ALWAYS, positive_data_acceptance]
"""Of `/v2` the document leaves bodies and queries to the specification: not all that it allows there is sound."""
DATA = b"all 3 passed"


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    """A server of its own, whose content may go away."""
    with (
        TemporaryDirectory(prefix="artifactstore-openapi-") as folder,
        in_thread(fresh_config(Path(folder, "data"), port=0, unsafe_no_sync=True)) as server,
    ):
        yield server


@pytest.fixture
def filled(running: Server) -> Server:
    """The server, with what the document's examples name."""
    with httpx.Client(base_url=running.url) as client:
        repository = Repository(client, "acme/reports")
        repository.push_blob(DATA)
        title = {"org.opencontainers.image.title": "summary.txt"}
        repository.push("v1", image(layers=[descriptor(DATA, "text/plain", annotations=title)]))
    return running


@DOCUMENT.parametrize()
@settings(deadline=None, derandomize=True, database=None, max_examples=8, suppress_health_check=list(HealthCheck))
def test_answers_are_as_documented(case: schemathesis.Case[Any], filled: Server) -> None:
    """The server never fails; status, media type and body are in the document; what it forbids is refused, or 405."""
    assume(len(case.path_parameters.get("package", "")) <= NAME_LENGTH_MAX)  # no pattern can say that of a part of it
    checks = ALWAYS if case.operation.path.startswith("/v2/") else NATIVE
    case.call_and_validate(base_url=filled.url, checks=checks, timeout=30)
