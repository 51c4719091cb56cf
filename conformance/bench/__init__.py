"""Quick measurements against any registry by its address."""
