"""What people attach to an artifact, other than signatures."""

from __future__ import annotations

import json

from conformance.clients import native, samples
from conformance.clients.client import Client
from conformance.clients.scene import Scene, expect_equal

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
