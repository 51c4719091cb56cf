"""The language-neutral vectors: printed again by their generator, and true when read with other tools."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

import cbor2
import pytest
import rfc8785
from blake3 import blake3

from artifactstore.errors import ManifestInvalid
from artifactstore.events.codec import check, fact_of
from artifactstore.events.model import FACTS, Event
from artifactstore.manifest.codec import decode, encode
from artifactstore.manifest.mapping import adopt
from artifactstore.manifest.model import NativeManifest
from artifactstore.manifest.oci import parse
from artifactstore.manifest.projection import from_jcs, to_jcs
from conformance.vectors import generate


def read(name: str) -> dict[str, Any]:
    """One vector file."""
    found: dict[str, Any] = json.loads((generate.HERE / name).read_text())
    return found


CBOR = read("canonical-cbor.json")
OCI = read("oci-manifests.json")
NATIVE = read("native-manifests.json")
EVENTS = read("events.json")["events"]


def named(cases: Iterable[dict[str, Any]]) -> list[Any]:
    """Cases as parameters, under their names."""
    return [pytest.param(case, id=case.get("name") or case["json"][:20]) for case in cases]


@pytest.mark.parametrize("name", generate.FILES)
def test_the_generator_prints_the_files_again(name: str) -> None:
    """What is committed is what `python -m conformance.vectors.generate` writes, byte for byte."""
    assert (generate.HERE / name).read_text() == generate.rendered(name)


@pytest.mark.parametrize("case", named(CBOR["encoded"]))
def test_encoded_values_agree_with_other_encoders(case: dict[str, Any]) -> None:
    """Each value encodes as written, as cbor2's canonical mode has it, and projects as RFC 8785's encoder does."""
    cbor = bytes.fromhex(case["cbor"])
    assert encode(json.loads(case["json"])) == cbor
    assert cbor2.dumps(cbor2.loads(cbor), canonical=True) == cbor
    assert rfc8785.dumps(cbor2.loads(cbor)) == case["jcs"].encode()
    assert from_jcs(case["jcs"].encode()) == cbor


@pytest.mark.parametrize("case", named(CBOR["not_encoded"]))
def test_values_without_an_encoding_are_refused(case: dict[str, Any]) -> None:
    """Each of these values raises ManifestInvalid."""
    with pytest.raises(ManifestInvalid):
        encode(json.loads(case["json"]))


@pytest.mark.parametrize("case", named(CBOR["not_decoded"]))
def test_bytes_that_are_not_canonical_are_refused(case: dict[str, Any]) -> None:
    """Each of these byte strings raises ManifestInvalid."""
    with pytest.raises(ManifestInvalid):
        decode(bytes.fromhex(case["cbor"]))


@pytest.mark.parametrize("case", named(OCI["accepted"]))
def test_accepted_manifests_are_read_as_written(case: dict[str, Any]) -> None:
    """Each body is accepted and says what the vector says."""
    assert generate.said(parse(case["body"].encode(), case["content_type"])) == case["read"]


@pytest.mark.parametrize("case", named(OCI["refused"]))
def test_refused_manifests_name_the_path(case: dict[str, Any]) -> None:
    """Each body is ManifestInvalid at the path of the vector."""
    with pytest.raises(ManifestInvalid) as caught:
        parse(case["body"].encode(), case["content_type"])
    assert caught.value.detail["path"] == case["path"]


@pytest.mark.parametrize("case", named(NATIVE["derived"] + NATIVE["ingested"]))
def test_native_manifests_have_the_digests_written(case: dict[str, Any]) -> None:
    """CBOR and JSON are projections of each other, and both digests are those of the CBOR bytes."""
    cbor = bytes.fromhex(case["cbor"])
    assert case["blake3"] == f"blake3:{blake3(cbor).hexdigest()}"
    assert case["sha256"] == f"sha256:{hashlib.sha256(cbor).hexdigest()}"
    assert (to_jcs(cbor).decode(), from_jcs(case["jcs"].encode())) == (case["jcs"], cbor)
    assert NativeManifest.from_cbor(cbor).to_cbor() == cbor


@pytest.mark.parametrize("case", named(NATIVE["derived"]))
def test_a_pushed_manifest_is_the_source_of_its_native_manifest(case: dict[str, Any]) -> None:
    """Digests and size of the body stand in the native manifest's provenance."""
    body = case["body"].encode()
    source = json.loads(case["jcs"])["provenance"]["oci"]
    assert source["digests"]["sha256"] == f"sha256:{hashlib.sha256(body).hexdigest()}"
    assert source["size"] == len(body)


@pytest.mark.parametrize("case", named(NATIVE["ingested"]))
def test_the_face_of_a_native_package_brings_it_back(case: dict[str, Any]) -> None:
    """The OCI manifest has the digest written, and pushed with its files it is adopted as the same native manifest."""
    made = case["face"].encode()
    assert case["face_sha256"] == f"sha256:{hashlib.sha256(made).hexdigest()}"
    held = {text: item for item in map(generate.known, case["files"].values()) for text in item.digests.values()}
    assert adopt(bytes.fromhex(case["cbor"]), parse(made), held).to_cbor().hex() == case["cbor"]


def test_every_type_of_event_has_a_vector() -> None:
    """The history in the vectors leaves no type out."""
    assert {case["type"] for case in EVENTS} == set(FACTS)


@pytest.mark.parametrize("case", EVENTS, ids=lambda case: case["type"])
def test_an_event_is_what_its_vector_says(case: dict[str, Any]) -> None:
    """Envelope, payload, their hashes and the leaf hash agree with each other, and the fact can be read back."""
    envelope, payload = bytes.fromhex(case["envelope"]), bytes.fromhex(case["payload"])
    said = json.loads(case["envelope_jcs"])
    assert from_jcs(case["envelope_jcs"].encode()) == envelope
    assert from_jcs(case["payload_jcs"].encode()) == payload
    assert said["payload_sha256"] == f"sha256:{hashlib.sha256(payload).hexdigest()}"
    assert case["leaf_hash"] == hashlib.sha256(b"\x00" + envelope).hexdigest()
    columns = {name: said[name] for name in ("type", "time", "actor", "tenant", "stream")}
    leaf = bytes.fromhex(case["leaf_hash"])
    event = Event(sequence=said["seq"], envelope=envelope, payload=payload, leaf_hash=leaf, **columns)
    check(event)
    assert type(fact_of(event)) is FACTS[case["type"]]
