"""What the page costs the person before it, in a real browser before a real hub: `python -m tests.bench.ui`.

Bytes of the first load (gzipped), from one picture to the next, keystrokes a verdict, the map with 2,000 cameras; then
`tests/bench/live.py`, where it is there. Printed for people and as JSON, a line a figure.
"""

from __future__ import annotations

import argparse
import gzip
import importlib.util
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Response

from tests.bench.figures import figure
from tests.e2e.city import ROOT
from tests.e2e.desk.browser import Screen, browser
from tests.e2e.desk.office import CAMERAS, Office

BENCH = "ui"
ALERTS = 60

NEXT_PICTURE = """
async ([key, presses]) => {
  const picture = () => document.querySelector('[data-test=picture]')
  const before = picture().src
  const frame = () => new Promise(requestAnimationFrame)
  const event = (key) => new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true })
  const press = (key) => document.body.dispatchEvent(event(key))
  const began = performance.now()
  for (const one of presses) press(one)
  press(key)
  for (let i = 0; i < 600; i += 1) {
    await frame()
    const image = picture()
    if (image && image.src !== before && image.complete && image.naturalWidth) {
      await frame()
      return performance.now() - began
    }
  }
  return null
}
"""
"""Milliseconds from the last key to the frame after the one in which the next picture is there, decoded."""

STOOD = """
async () => {
  await new Promise(requestAnimationFrame)
  await new Promise(requestAnimationFrame)
  return performance.now() - window.began
}
"""

PANNED = """
async (ms) => {
  const taken = []
  let last = performance.now()
  const end = last + ms
  while (last < end) {
    await new Promise(requestAnimationFrame)
    const now = performance.now()
    taken.push(now - last)
    last = now
  }
  return taken
}
"""


def main() -> int:
    """Run everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, default=2000)
    parser.add_argument("--no-live", action="store_true", help="leave tests/bench/live.py out")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Office(Path(folder)) as office, browser() as chrome:
        office.colleague("zhang", "staff")
        first_load(office, chrome)
        verdicts(office, chrome)
        the_map(office, chrome, wanted.cameras)
    if wanted.no_live or importlib.util.find_spec("tests.bench.live") is None:
        return 0
    return subprocess.run([sys.executable, "-m", "tests.bench.live"], cwd=ROOT, check=False).returncode


def first_load(office: Office, chrome: Browser) -> None:
    """Bytes of everything that the page fetches until the desk stands, gzipped, and of everything that was built."""
    office.find("cam-01")
    sizes: dict[str, int] = {}

    def heard(answer: Response) -> None:
        if answer.ok and not answer.url.startswith(f"{office.url}/api/"):
            sizes[answer.url] = len(gzip.compress(answer.body(), 6))

    with Screen(chrome, office.url) as screen:
        screen.page.on("response", heard)
        screen.sign_in("zhang")
        screen.drawn("[data-test=picture]")
        screen.page.wait_for_timeout(500)
        figure(BENCH, "first load to the desk, gzipped", sum(sizes.values()) / 1000, "kB")
    built = [path for path in (ROOT / "hub" / "web" / "dist").rglob("*") if path.suffix in (".js", ".css", ".html")]
    figure(
        BENCH, "all screens together, gzipped", sum(len(gzip.compress(p.read_bytes(), 6)) for p in built) / 1000, "kB"
    )


def verdicts(office: Office, chrome: Browser) -> None:
    """From one picture to the next, and how many keys each verdict takes."""
    for n in range(ALERTS):
        office.find(CAMERAS[n % 4], minutes_ago=ALERTS - n, before=n % 3 == 0)
    with Screen(chrome, office.url) as screen:
        page = screen.page
        screen.sign_in("zhang")
        screen.drawn("[data-test=picture]")
        page.wait_for_timeout(1500)  # the next ten are fetched
        figures(page, "next picture after a step", ["j"] * 12, rest_ms=120)
        for _ in range(12):
            page.keyboard.press("k")
        page.wait_for_timeout(1500)
        figures(page, "next picture after a confirmation", ["c"] * 12, rest_ms=700)
        figures(page, "next picture after a rejection", ["r1"] * 12, rest_ms=700)
        figures(page, "next picture, decided without a pause", ["r1"] * 12, rest_ms=0)
        for name, keys in (
            ("confirm", "c"),
            ("reject with reason", "r2"),
            ("unsure", "u"),
            ("postpone", "p1"),
            ("another class", "m1c"),
        ):
            figure(BENCH, f"keys: {name}", counted(page, keys), "keys")


def figures(page: Page, name: str, verdicts: list[str], rest_ms: int) -> None:
    """Median and worst of so many."""
    taken = []
    for keys in verdicts:
        *before, last = keys
        ms = page.evaluate(NEXT_PICTURE, [last, before])
        if ms is None:
            raise SystemExit(f"{name}: no next picture within 600 frames")
        taken.append(float(ms))
        page.wait_for_timeout(rest_ms)
    figure(BENCH, f"{name}, median", statistics.median(taken), "ms")
    figure(BENCH, f"{name}, worst of {len(taken)}", max(taken), "ms")


def counted(page: Page, keys: str) -> int:
    """Keys pressed until another alert is on the stage; what they are is checked, not assumed."""
    current = "[data-test=queue] [aria-current=true]"
    before = page.locator(current).get_attribute("data-alert")
    for number, key in enumerate(keys, 1):
        page.keyboard.press(key)
        page.wait_for_timeout(300)
        if page.locator(current).get_attribute("data-alert") != before:
            return number
    raise SystemExit(f"{keys}: the alert is still there")


def the_map(office: Office, chrome: Browser, cameras: int) -> None:
    """The district with so many cameras: until it stands, and frames while it is dragged and zoomed."""
    side = int(cameras**0.5) + 1
    lines = ["id,name,url,lon,lat"]
    lines += [
        f"m{n:04d},机位{n},rtsp://127.0.0.1:9/{n},{107.6 + n % side * 0.001:.4f},{35.7 + n // side * 0.001:.4f}"
        for n in range(cameras)
    ]
    table = {"file": ("map.csv", "\n".join(lines).encode())}
    answer = office.admin.post("/api/cameras/import", data={"name": "map.csv"}, files=table, timeout=120)
    assert answer.json()["imported"] == cameras, answer.text[:300]
    with Screen(chrome, office.url) as screen:
        page = screen.page
        screen.sign_in("zhang")
        page.goto(f"{office.url}/cameras")
        page.wait_for_selector("[data-test=wall] li")
        page.evaluate("() => { window.began = performance.now() }")
        page.click("nav a[href='/map']")
        page.wait_for_selector("[data-test=map] canvas, [data-test=map] .leaflet-container")
        stood = page.evaluate(STOOD)
        figure(BENCH, f"map with {cameras} cameras stands after", float(stood), "ms")
        page.wait_for_timeout(1500)
        report(f"map of {cameras}, dragged", moved(page, drag))
        report(f"map of {cameras}, zoomed", moved(page, zoom))


def moved(page: Page, hand: Any) -> list[float]:
    """Milliseconds from frame to frame while the hand moves the map."""
    page.evaluate(f"() => {{ window.frames_ = ({PANNED})(2500) }}")
    hand(page)
    taken: list[float] = page.evaluate("() => window.frames_")
    return taken


def drag(page: Page) -> None:
    """To and fro."""
    page.mouse.move(960, 540)
    page.mouse.down()
    for step in range(60):
        page.mouse.move(960 + (step % 20 - 10) * 20, 540 + (step % 14 - 7) * 16)
        page.wait_for_timeout(16)
    page.mouse.up()


def zoom(page: Page) -> None:
    """In and out."""
    page.mouse.move(960, 540)
    for step in range(10):
        page.mouse.wheel(0, -240 if step % 2 == 0 else 240)
        page.wait_for_timeout(160)


def report(name: str, frames: list[float]) -> None:
    """Median frame, the worst of a hundred, and how many frames a second."""
    ordered = sorted(frames)
    figure(BENCH, f"{name}, frame, median", ordered[len(ordered) // 2], "ms")
    figure(BENCH, f"{name}, frame, p99", ordered[int(len(ordered) * 0.99)], "ms")


if __name__ == "__main__":
    sys.exit(main())
