"""Proof from outside: the official suite, real clients and measurements against a running server."""
