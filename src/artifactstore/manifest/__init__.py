"""Manifests, OCI and native: what they say, as canonical CBOR and JSON, and how one maps to the other. No I/O."""
