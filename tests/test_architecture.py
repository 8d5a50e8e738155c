"""The house rules as tests: which way imports run, no cycles, one heavy library behind one module, light words."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("ingest", "detectors", "hub")
MAY_IMPORT = {"ingest": {"ingest"}, "detectors": {"ingest", "detectors"}, "hub": {"ingest", "detectors", "hub"}}
INGEST_WORDS = {"ingest.frame", "ingest.reading", "ingest.device", "ingest.errors"}
"""What `detectors` and `hub.domain` may import of ingest. (Offline work on footage may open sources too: replay.)"""
DOMAIN_WORDS = INGEST_WORDS | {"detectors.finding", "detectors.detection", "detectors.geometry"}
HEAVY = {
    "astral": ("detectors.daylight",),
    "av": ("ingest.media",),
    "aiohttp": ("ingest.cameras.web",),
    "paho": ("ingest.sensors.mqtt",),
    "odata_query": ("hub.sensorthings.filtering",),
    "openvino": ("detectors.backends.openvino",),
    "onnxruntime": ("detectors.backends.onnxruntime",),
    "ultralytics": ("detectors.backends.ultralytics", "detectors.tuning"),
    "torch": ("detectors.tuning",),
    "bpy": ("detectors.tuning.scenes",),
    "sqlalchemy": ("hub.store",),
    "alembic": ("hub.store",),
    "fastapi": ("hub.api",),
    "starlette": ("hub.api",),
    "uvicorn": ("hub.serving",),
    "amqtt": ("hub.demo.broker",),
    "reportlab": ("hub.papers.pdf", "hub.papers.typeface"),
    "PIL": ("hub.papers.picture", "hub.papers.typeface"),
    "docx": ("hub.papers.docx", "hub.papers.template"),
    "openpyxl": ("hub.papers.xlsx", "hub.workbook", "ingest.sheet"),
    "aiortc": ("hub.live.peer",),
    "aioice": ("hub.live.peer",),
    "ray": ("hub.cluster",),
}


def modules() -> dict[str, Path]:
    found = {}
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            if "node_modules" in path.parts:
                continue
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


@cache
def told(module: str) -> tuple[str | None, frozenset[str], frozenset[str]]:
    """Its docstring; what it imports anywhere; what it imports as soon as it is imported."""
    path = MODULES[module]
    tree = ast.parse(path.read_text(encoding="utf-8"))
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    anywhere, at_top = (
        frozenset(name for node in nodes for name in _named(node, package))
        for nodes in (ast.walk(tree), _top_level(tree))
    )
    return ast.get_docstring(tree), anywhere, at_top


def imports(module: str, at_top_only: bool = False) -> frozenset[str]:
    """Modules that `module` imports (of ours: down to the module; of others: the top name)."""
    return told(module)[2 if at_top_only else 1]


def _top_level(tree: ast.Module) -> Iterator[ast.AST]:
    """Import statements that run when the module is imported (not those under TYPE_CHECKING)."""
    todo: list[ast.stmt] = list(tree.body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.If | ast.Try | ast.ClassDef | ast.With):
            todo += [n for n in ast.iter_child_nodes(node) if isinstance(n, ast.stmt)]


def _named(node: ast.AST, package: str) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (_known(alias.name) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*above, base] if base else above)
        for alias in node.names:
            full = f"{base}.{alias.name}"
            yield _known(full) if full in MODULES else _known(base)


def _known(name: str) -> str:
    while name and name not in MODULES and name.split(".")[0] in PACKAGES:
        name = name.rpartition(".")[0]
    return name if name.split(".")[0] in PACKAGES else name.split(".")[0]


def within(*packages: str) -> list[str]:
    """Modules of ours that lie in these packages, or are them."""
    return sorted(m for m in MODULES if any(m == package or m.startswith(f"{package}.") for package in packages))


def test_there_is_something_to_look_at() -> None:
    assert all(len(within(package)) > 20 for package in (*PACKAGES, "hub.domain"))
    assert "numpy" in imports("ingest.frame")


def test_imports_run_against_the_data() -> None:
    for package, may in MAY_IMPORT.items():
        ours = {m: {n for n in imports(m) if n.split(".")[0] in PACKAGES} for m in within(package)}
        wrong = {m: found for m, names in ours.items() if (found := {n for n in names if n.split(".")[0] not in may})}
        assert not wrong, f"{package} may import only {sorted(may)}"


def test_detectors_know_only_the_words_of_ingest() -> None:
    more = {"detectors.replay": {"ingest", "ingest.cameras", "ingest.media"}}
    known = {m: {n for n in imports(m) if n.startswith("ingest")} for m in within("detectors")}
    assert not {m: found for m, names in known.items() if (found := names - INGEST_WORDS - more.get(m, set()))}


def test_the_domain_is_pure() -> None:
    impure = {"socket", "httpx", "sqlite3", "threading", "subprocess", "cv2", "os"}
    for module in within("hub.domain"):
        ours = {n for n in imports(module) if n.split(".")[0] in PACKAGES and not n.startswith("hub.domain")}
        assert not ours - DOMAIN_WORDS, module
        assert not imports(module) & impure, module


def test_a_heavy_library_stays_behind_its_module() -> None:
    for library, allowed in HEAVY.items():
        users = {module for module in MODULES if library in imports(module)}
        assert not users - set(within(*allowed)), f"{library} is for {allowed}"


def test_no_import_cycle() -> None:
    graph = {m: {n for n in imports(m, at_top_only=True) if n in MODULES and n != m} for m in MODULES}
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " -> ".join((*path[path.index(module) :], module))
        if module in done:
            return
        for other in graph[module]:
            if not module.startswith(f"{other}."):  # a module inside a package runs after the package's first line
                visit(other, (*path, module))
        done.add(module)

    for module in graph:
        visit(module, ())


def test_the_words_are_light() -> None:
    """Importing a finding loads neither torch nor OpenCV, nor anything else that is heavy."""
    code = "import sys, detectors.finding; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert not {"torch", "cv2", *HEAVY} & set(loaded.split())


def test_each_module_says_what_lives_there() -> None:
    assert not [module for module in MODULES if not told(module)[0]], "no first line"


def test_no_shapeless_names() -> None:
    shapeless = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc"}
    assert not {m for m in MODULES if m.rpartition(".")[2] in shapeless}
