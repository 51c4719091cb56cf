"""Contract suites, fault injectors and a file system that forgets: what proves a backend, shipped with the library.

A suite is a module of `check_<fact>` coroutines, each with the fact as its docstring, and a tuple `ALL` of them; it
needs no test runner. A new backend's test is a factory and a call of every check.
"""
