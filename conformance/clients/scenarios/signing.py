"""Signatures and attestations, in both ways in which they are tied to what they are about."""

from __future__ import annotations

import json
from collections.abc import Mapping

from conformance.clients import native, samples
from conformance.clients.client import Client, Layout
from conformance.clients.cosign import Cosign2, Cosign3
from conformance.clients.scene import Scene, expect, expect_equal

OTHERS: Mapping[str, Client] = {Cosign2.name: Cosign3(), Cosign3.name: Cosign2()}
"""Who else has to verify what a client signed, with the same key: the other major version."""


def sign_as_referrer(client: Client, scene: Scene) -> None:
    """A signature that names its subject is verified, by the other major version too, and by no other key."""
    _sign(client, scene, "referrer")


def sign_as_oci_1_1(client: Client, scene: Scene) -> None:
    """A signature in the experimental form that came before bundles is verified by both versions, and no other key."""
    _sign(client, scene, "oci-1-1")


def sign_by_tag(client: Client, scene: Scene) -> None:
    """A signature under a tag made of the digest is verified, by the other major version too, and by no other key."""
    _sign(client, scene, "tag")


def sign_twice(client: Client, scene: Scene) -> None:
    """A second key signs as well: both signatures are verified, and nothing that the first one needs is lost."""
    subject = samples.artifact_in(scene, "1")
    client.make_keys(scene)
    via = client.sign(scene, subject, client.default_layout)
    client.sign(scene, subject, client.default_layout, other_key=True)
    for other_key in (False, True):
        found = client.verifies(scene, subject, client.default_layout, other_key=other_key)
        expect(found, f"no signature by the {'other' if other_key else 'first'} key")
    # Under a tag of cosign's both signatures are in one manifest, the last that the tag was moved to.
    rows = [(row["role"], row["via"]) for row in native.referrers(scene, subject)]
    expect_equal(rows, [("signature", via)] * (1 if via == "tag" else 2), "role and way of each referrer")


def remove_signatures(client: Client, scene: Scene) -> None:
    """Removed signatures are gone from the package's referrers, by one event each, and the package stays."""
    subject = samples.artifact_in(scene, "1")
    client.make_keys(scene)
    via = client.sign(scene, subject, client.default_layout)
    native.expect_attached(scene, subject, "signature", via)
    before = native.head(scene)
    client.remove_signatures(scene, subject)
    expect_equal(native.referrers(scene, subject), [], "the referrers that stay")
    kind = "v1.tag.deleted" if via == "tag" else "v1.manifest.deleted"
    expect_equal(native.event_kinds(scene, before), [kind], "the events")
    expect_equal(native.manifest(scene, "1")[0], subject, "what was signed")


def attest_as_referrer(client: Client, scene: Scene) -> None:
    """A signed provenance statement that names its subject is verified, by both versions, and by no other key."""
    _attest(client, scene, "referrer")


def attest_by_tag(client: Client, scene: Scene) -> None:
    """A signed provenance statement under a tag is verified, by both versions, and by no other key."""
    _attest(client, scene, "tag")


def _sign(client: Client, scene: Scene, layout: Layout) -> None:
    subject = samples.artifact_in(scene, "1")
    client.make_keys(scene)
    via = client.sign(scene, subject, layout)
    for verifier in _verifiers(client):
        expect(verifier.verifies(scene, subject, layout), f"{verifier.name} finds no signature by the key")
        refused = not verifier.verifies(scene, subject, layout, other_key=True)
        expect(refused, f"{verifier.name} finds a signature by a key that did not sign")
    _expect_recorded(scene, subject, "signature", via, layout)


def _attest(client: Client, scene: Scene, layout: Layout) -> None:
    subject = samples.artifact_in(scene, "1")
    client.make_keys(scene)
    statement = scene.workspace / "provenance.json"
    statement.write_text(json.dumps({"buildDefinition": {"buildType": "https://example.com/build"}, "runDetails": {}}))
    via = client.attest(scene, subject, statement, layout)
    for verifier in _verifiers(client):
        expect(verifier.verifies_attestation(scene, subject, layout), f"{verifier.name} finds no statement by the key")
        refused = not verifier.verifies_attestation(scene, subject, layout, other_key=True)
        expect(refused, f"{verifier.name} finds a statement by a key that did not sign")
    _expect_recorded(scene, subject, "attestation", via, layout)


def _verifiers(client: Client) -> list[Client]:
    return [client, *([OTHERS[client.name]] if client.name in OTHERS else [])]


def _expect_recorded(scene: Scene, subject: str, role: str, via: str, layout: Layout) -> None:
    """The package's referrers and the log have one of this role; a tag was made only where that is the layout."""
    native.expect_attached(scene, subject, role, via)
    roles = [payload["role"] for payload in native.payloads(scene, "v1.manifest.stored")]
    expect(roles.count(role) == 1, f"expected one {role} in the log, the roles are {roles}")
    moved = {payload["tag"] for payload in native.payloads(scene, "v1.tag.moved")}
    made = any(tag.startswith(subject.replace(":", "-")) for tag in moved)
    expect(made == (layout == "tag"), f"the tags are {sorted(moved)}")
