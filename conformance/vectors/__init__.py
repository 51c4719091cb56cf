"""Vectors that any implementation, in any language, can check itself against; `README.md` says how to read them."""
