"""notation: signatures with X.509 certificates."""

from __future__ import annotations

import json
from pathlib import Path

from conformance.clients.client import NO_CHARTS, ONLY_SIGNS, GoClient, Layout, left_out
from conformance.clients.scene import Scene
from conformance.tools import NOTATION

PLAIN = "--insecure-registry"


class Notation(GoClient):
    """The Notary Project's command line. Unless told otherwise it keeps a referrers fallback tag too."""

    name = "notation"
    tool = NOTATION
    default_layout = "tag"
    cannot = left_out(
        ONLY_SIGNS,
        {
            "signs artifacts only, no statements about them": ("attach_sbom", "attest_as_referrer", "attest_by_tag"),
            "copies nothing": ("copy_with_referrers",),
            "is cosign's own": ("sign_as_oci_1_1",),
            "has no command to remove signatures": ("remove_signatures",),
        },
        NO_CHARTS,
    )

    def make_keys(self, scene: Scene) -> None:
        self.run(scene, "cert", "generate-test", "--default", "signer")
        self.run(scene, "cert", "generate-test", "other")

    def sign(self, scene: Scene, subject: str, layout: Layout, *, other_key: bool = False) -> str:
        forced = ["--force-referrers-tag=false"] if layout == "referrer" else []
        key = "other" if other_key else "signer"
        self.run(scene, "sign", PLAIN, "--key", key, *forced, scene.at(subject))
        return "subject"

    def verifies(self, scene: Scene, subject: str, layout: Layout, *, other_key: bool = False) -> bool:
        listed = self.run(scene, "list", PLAIN, scene.at(subject))
        if "application/vnd.cncf.notary.signature" not in listed:
            return False
        _trust(scene, "other" if other_key else "signer")
        answer = scene.attempt(self.tool.path, "verify", PLAIN, scene.at(subject))
        return answer.returncode == 0 and "Successfully verified" in answer.stdout


def _trust(scene: Scene, store: str) -> None:
    """Trust the certificates of one store, and of no other."""
    policy = {
        "name": "all",
        "registryScopes": ["*"],
        "signatureVerification": {"level": "strict"},
        "trustStores": [f"ca:{store}"],
        "trustedIdentities": ["*"],
    }
    settings: Path = scene.folder(".config/notation")
    (settings / "trustpolicy.json").write_text(json.dumps({"version": "1.0", "trustPolicies": [policy]}))
