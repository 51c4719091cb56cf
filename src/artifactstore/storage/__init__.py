"""Where bytes rest: the storage and staging Protocols, the seam for file operations, and the backends."""
