"""Conformance checks of our own: what the distribution specification demands, asked of any registry over HTTP."""
