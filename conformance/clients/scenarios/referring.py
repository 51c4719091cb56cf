"""What people attach to an artifact, other than signatures."""

from __future__ import annotations

import json

from conformance.clients import native, samples
from conformance.clients.client import Client
from conformance.clients.scene import Scene, expect_equal

SPDX = "application/spdx+json"
SIMPLE_SIGNING = "application/vnd.dev.cosign.simplesigning.v1+json"
NOTE = "application/vnd.example.note.v1"


def attach_and_discover(client: Client, scene: Scene) -> None:
    """What is attached to an artifact is found by it, and the package's referrers show it, tied by its subject."""
    subject = samples.artifact_in(scene, "1")
    note = scene.workspace / "note.json"
    note.write_text('{"reviewed": true}')
    client.attach(scene, subject, note, NOTE)
    attached = native.expect_attached(scene, subject, "package", "subject")
    expect_equal(attached["artifact_type"], NOTE, "the artifact type of what is attached")
    expect_equal(client.discover(scene, subject), [attached["digest"]], "what the client discovers")
    stored = native.payloads(scene, "v1.manifest.stored")[-1]
    subjects = [edge["digest"] for edge in stored["edges"] if edge["relation"] == "subject"]
    expect_equal(subjects, [subject], "the subject in the log")


def copy_with_referrers(client: Client, scene: Scene) -> None:
    """A copy to another repository takes along what refers to the artifact, in each way that this client knows."""
    subject = samples.artifact_in(scene, "1")
    _refer(scene, subject)
    target = scene.aside("copy")
    ways = client.copy_all(scene, "1", target)
    expect_equal(native.manifest(target, "1")[0], subject, "the copy")
    expected = [row["digest"] for row in native.referrers(scene, subject) if row["via"] in ways]
    found = native.referrers(target, subject)
    expect_equal(sorted(row["digest"] for row in found), sorted(expected), "what refers to the copy")
    expect_equal({row["via"] for row in found}, ways, "how it refers to the copy")


def _refer(scene: Scene, subject: str) -> None:
    """Refer to an artifact by its digest as a subject, and by a tag, as cosign 2 does."""
    config = samples.descriptor(b"{}", samples.EMPTY)
    document, payload = b'{"spdxVersion": "SPDX-2.3"}', b'{"critical": {}}'
    named = {
        "artifactType": SPDX,
        "subject": samples.descriptor(native.manifest_bytes(scene, subject), samples.MANIFEST),
    }
    samples.put(scene, None, {"config": config, "layers": [samples.descriptor(document, SPDX)], **named}, document)
    signature = {"config": config, "layers": [samples.descriptor(payload, SIMPLE_SIGNING)]}
    samples.put(scene, f"{subject.replace(':', '-')}.sig", signature, payload)


def attach_sbom(client: Client, scene: Scene) -> None:
    """An attached SPDX document is listed beside its package with the role of an SBOM."""
    subject = samples.artifact_in(scene, "1")
    document = scene.workspace / "sbom.spdx.json"
    document.write_text(json.dumps({"spdxVersion": "SPDX-2.3", "name": "sample", "packages": []}))
    via = client.attach_sbom(scene, subject, document)
    attached = native.expect_attached(scene, subject, "sbom", via)
    (file,) = native.files(scene, attached["digest"])
    expect_equal(file["digests"]["sha256"], samples.file_digest(document), "the document in the registry")
    expect_equal(native.payloads(scene, "v1.manifest.stored")[-1]["role"], "sbom", "the role in the log")
