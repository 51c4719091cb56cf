"""The storage backends, one file each; only `dataplane.inproc` and `bootstrap` may import them."""
