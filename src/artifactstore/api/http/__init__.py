"""The HTTP server: it parses a request, calls the Registry and renders what that says."""
