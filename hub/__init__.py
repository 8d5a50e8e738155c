"""Findings to alerts to cases: the API, the screens, the worker and the command line."""
