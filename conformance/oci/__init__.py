"""Conformance to the OCI distribution specification: checks of our own, and the official suite behind a gate."""
