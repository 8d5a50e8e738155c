"""Benchmarks: each prints its figures, and one JSON line a figure. Run by `make bench`, never by `make test`."""
