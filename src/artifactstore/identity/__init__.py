"""Names of things: digests and content addresses, repository and tag names, actors. No I/O."""
