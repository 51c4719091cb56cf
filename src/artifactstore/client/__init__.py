"""The client side of HTTP: another server of ours, and any OCI registry."""
