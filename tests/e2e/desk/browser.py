"""Headless Chromium with one page a person; anything the console calls an error fails the test that caused it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

from tests.e2e.city import PASSWORD

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--allow-loopback-in-peer-connection",
    "--autoplay-policy=no-user-gesture-required",
]
GO = "path => { history.pushState({}, '', path); dispatchEvent(new PopStateEvent('popstate')) }"
QUIET = """() => new Promise(done => {
  const moves = () => document.getAnimations().some(
    a => a.playState === 'running' && a.effect?.getComputedTiming().iterations !== Infinity)
  let timer
  const again = () => { clearTimeout(timer); timer = setTimeout(() => moves() ? again() : end(), 250) }
  const watch = new MutationObserver(again)
  const end = () => { watch.disconnect(); clearTimeout(timer); done() }
  watch.observe(document, { subtree: true, childList: true, attributes: true })
  setTimeout(end, 10000)
  again()
})"""
"""Ends when for 250 ms no element came, went or changed and nothing was moving, or after 10 s."""
TOLD = """() => {
  window.told = []
  new MutationObserver(changes => {
    for (const { addedNodes } of changes) for (const node of addedNodes)
      if (node.classList?.contains('el-message')) window.told.push(node.textContent)
  }).observe(document, { subtree: true, childList: true })
}"""
"""Keeps what the page's passing messages said: on a busy machine one is gone before a test has looked."""
TAKEN = """words => {
  const at = window.told.findIndex(text => text.includes(words))
  window.told.splice(0, at + 1)
  return at >= 0
}"""
WIDE, PHONE = (1920, 1080), (390, 844)


def expect_told(page: Page, words: str) -> None:
    """Wait for a passing message that holds the words; it is taken, and those before it are."""
    page.wait_for_function(TAKEN, arg=words, timeout=30_000)


def chromium() -> str:
    """Path of the system's Chromium; where there is none the test skips, or fails where CI=true."""
    found = next((path for name in CHROMIUMS if (path := shutil.which(name))), None)
    if found:
        return found
    reason = f"no Chromium installed (looked for {', '.join(CHROMIUMS)})"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


_running: list[Browser] = []


@contextmanager
def browser() -> Iterator[Browser]:
    """One headless Chromium; the one that runs already, where there is one: a thread can drive no second."""
    if _running:
        yield _running[-1]
        return
    expect.set_options(timeout=30_000)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        _running.append(running)
        try:
            yield running
        finally:
            _running.clear()
            running.close()


class Screen:
    """One person's page. `with Screen(browser, url) as screen:` fails at the end when the console had an error.

    Routes are set before the page is opened, or on a `routed` one: where an open page gets its first route, a request
    sent in the same moment may pass it by.
    """

    def __init__(
        self, running: Browser, url: str, size: tuple[int, int] = WIDE, locale: str = "zh", routed: bool = False
    ) -> None:
        self.url, self.errors, self.excused = url, list[str](), list[str]()
        viewport = {"width": size[0], "height": size[1]}
        self._context = running.new_context(
            viewport={"width": size[0], "height": size[1]}, has_touch=viewport["width"] < 600, locale="zh-CN"
        )
        self._context.add_init_script(f"localStorage.setItem('gridhub.locale', '{locale}')")
        self._context.add_init_script(f"({TOLD})()")
        self._context.set_default_timeout(60_000)
        if routed:
            self._context.route("**/asked-by-nobody", lambda route: route.abort())
        self.page: Page = self._context.new_page()
        self._fetched = set[Request]()
        self.page.on("request", self._asked)
        self.page.on("requestfinished", lambda request: self._fetched.discard(request))
        self.page.on("requestfailed", lambda request: self._fetched.discard(request))
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.errors.append(f"{self.page.url}: {error}"))

    def _asked(self, request: Request) -> None:
        if request.resource_type != "eventsource":
            self._fetched.add(request)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(f"{self.page.url}: {message.text}")

    def __enter__(self) -> Screen:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        errors = [e for e in self.errors if not any(excuse in e for excuse in self.excused)]
        self._context.close()
        if kind is None:
            assert not errors, "the browser's console said:\n" + "\n".join(errors)

    def sign_in(self, user: str, password: str = PASSWORD) -> None:
        """Through the form, as a person does; to the person's first screen."""
        self.open(user, "", password)
        self.page.wait_for_selector("header.strip")

    def open(self, user: str, path: str, password: str = PASSWORD) -> None:
        """Through the form to the screen at `path`, as after following a link: the page is loaded once."""
        self.page.goto(self.url + path)
        self.page.fill("input#user", user)
        self.page.fill("input#password", password)
        self.page.click("[data-test=sign-in]")
        self.page.wait_for_selector("input#user", state="detached")

    def go(self, path: str) -> None:
        """To another screen, as a click on a link does: the page is not loaded anew."""
        self.page.evaluate(
            "path => { history.pushState({}, '', path); dispatchEvent(new PopStateEvent('popstate')) }", path
        )
        self.page.wait_for_function("path => location.pathname === path", arg=path)

    def still(self) -> None:
        """Wait until nothing is fetched and nothing moves any more."""
        while True:
            self.page.evaluate(QUIET)
            if not self._fetched:
                return

    def drawn(self, selector: str) -> None:
        """Wait until the picture is not only there but decoded."""
        self.page.wait_for_function(
            "s => { const i = document.querySelector(s); return i && i.complete && i.naturalWidth > 0 }", arg=selector
        )

    def overflow_px(self) -> int:
        """By how much the page is wider than the screen."""
        wider: int = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        return wider
