"""The command line: a second consumer of the library, equal to HTTP. It parses, calls and renders."""
