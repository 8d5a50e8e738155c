"""The hub over HTTP: routers, sign-in, problems, event stream, page. The only package that knows FastAPI."""

from .app import create_app

__all__ = ["create_app"]
