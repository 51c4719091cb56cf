"""The faces that the store shows to other programs."""
