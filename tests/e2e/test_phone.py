"""A department on a phone that drives through a tunnel: what was written there is sent later, and done once."""

from __future__ import annotations

import io
from typing import Any

import cv2
import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Route, expect

from tests.e2e.desk.browser import PHONE, Screen
from tests.e2e.desk.office import Office, picture
from tests.peers import wait_until
from tests.peers.relay import Relay

ORIENTATION, GPS, LATITUDE = 0x0112, 0x8825, 2
PHOTO: Any = {"name": "after.jpg", "mimeType": "image/jpeg", "buffer": picture("after", 7)}
NO_NETWORK = (
    "ERR_CONNECTION_REFUSED",
    "ERR_CONNECTION_RESET",
    "ERR_EMPTY_RESPONSE",
    "ERR_INCOMPLETE",
    "ERR_CONTENT_LENGTH_MISMATCH",
    "ERR_FAILED",
)
"""What the browser says of a connection that is cut, perhaps in the middle of a picture."""


def accepted(office: Office, minutes_ago: float) -> str:
    found = office.find("cam-01", minutes_ago=minutes_ago)
    case = office.do(office.people["zhang"], f"alerts/{found['alert']}/confirm")["case"]["id"]
    office.do(office.people["li"], f"cases/{case}/accept")
    return str(case)


def answers(office: Office, case: str) -> list[dict[str, Any]]:
    history = office.get(office.admin, f"cases/{case}")["history"]
    return [entry for entry in history if entry["action"] == "feedback"]


def test_an_answer_written_in_a_tunnel_is_sent_later_once(office: Office, chrome: Browser) -> None:
    case = accepted(office, 12)
    with Relay(office.port) as tunnel, Screen(chrome, f"http://127.0.0.1:{tunnel.port}", PHONE) as screen:
        screen.excused += NO_NETWORK
        page = screen.page
        screen.sign_in("li")
        page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        page.locator(f"[data-case='{case}']").tap()
        expect(page.locator("[data-test=case-state]")).to_have_text("处置中")

        tunnel.cut()
        page.locator("[data-test=do-feedback]").tap()
        page.fill("[data-test=field-text]", "隧道里写的：已清理完毕")
        page.set_input_files("[data-test=field-photos]", PHOTO)
        page.locator("[data-test=send]").tap()
        kept = page.locator("[data-test=kept-order]")
        expect(kept).to_contain_text("联网后自动发送")
        expect(kept).to_contain_text("隧道里写的")
        assert screen.overflow_px() <= 0

        page.reload()  # the phone was in the pocket: the page opens from the device, and says of when it is
        expect(kept).to_contain_text("隧道里写的")
        screen.drawn("[data-test=kept-order] img")
        expect(page.locator("[data-test=away]")).to_contain_text("没有网络")
        page.goto(f"{screen.url}/cases")
        expect(page.locator(f"[data-case='{case}'] [data-test=row-kept]")).to_have_text("待发送")
        assert not answers(office, case)

        tunnel.mend()
        expect(page.locator("[data-test=row-kept]")).to_have_count(0, timeout=30_000)
        wait_until(lambda: len(answers(office, case)) == 1, what="the answer has arrived")
    said = answers(office, case)
    assert (len(said), said[0]["note"], len(said[0]["evidence"])) == (1, "隧道里写的：已清理完毕", 1)


def photo_of_a_phone() -> bytes:
    """4,032 x 3,024 px, taken with the phone upright (so stored lying), with the place where it was taken."""
    noise = np.random.default_rng(5).integers(0, 255, (3024, 4032, 3), dtype=np.uint8)
    lying = Image.fromarray(cv2.GaussianBlur(noise, (0, 0), 2))
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    exif.get_ifd(GPS)[LATITUDE] = (35.0, 43.0, 48.0)
    out = io.BytesIO()
    lying.save(out, "JPEG", quality=95, exif=exif)
    return out.getvalue()


def test_a_photo_is_made_small_before_it_is_sent_and_keeps_where_it_was_taken(office: Office, chrome: Browser) -> None:
    case, taken = accepted(office, 60), photo_of_a_phone()
    with Screen(chrome, office.url, PHONE) as screen:
        page = screen.page
        screen.open("li", f"/cases/{case}")
        page.locator("[data-test=do-feedback]").tap()
        page.fill("[data-test=field-text]", "已清理")
        file: Any = {"name": "IMG_0001.JPG", "mimeType": "image/jpeg", "buffer": taken}
        page.set_input_files("[data-test=field-photos]", file)
        screen.drawn(".photos img")
        page.locator("[data-test=send]").tap()
        expect(page.locator("[data-test=case-state]")).to_have_text("核查中")
    stored = office.evidence(office.admin, answers(office, case)[0]["evidence"][0])
    made = Image.open(io.BytesIO(stored))
    assert made.size == (1920, 2560), "upright, its longer side 2,560 px"
    assert len(stored) < len(taken) / 2
    assert made.getexif()[ORIENTATION] == 1, "nobody turns it once more"
    assert made.getexif().get_ifd(GPS)[LATITUDE] == (35.0, 43.0, 48.0)


def test_an_answer_whose_receipt_was_lost_is_not_given_twice(office: Office, chrome: Browser) -> None:
    case = accepted(office, 30)
    heard: list[int] = []

    def lose_the_receipt(route: Route) -> None:
        heard.append(route.fetch().status)
        if len(heard) == 1:
            route.abort()
        else:
            route.continue_()

    with Screen(chrome, office.url, PHONE) as screen:
        screen.excused += NO_NETWORK
        page = screen.page
        page.route("**/feedback", lose_the_receipt)
        screen.open("li", f"/cases/{case}")
        page.locator("[data-test=do-feedback]").tap()
        page.fill("[data-test=field-text]", "只说一次")
        page.locator("[data-test=send]").tap()
        expect(page.locator("[data-test=kept-order]")).to_have_count(1)
        page.evaluate("window.dispatchEvent(new Event('online'))")
        expect(page.locator("[data-test=kept-order]")).to_have_count(0, timeout=20_000)
        expect(page.locator("[data-test=case-state]")).to_have_text("核查中")
    assert len(heard) >= 2
    assert len(answers(office, case)) == 1


def test_what_the_hub_refuses_stays_with_its_reason(office: Office, chrome: Browser) -> None:
    case = accepted(office, 45)
    with Relay(office.port) as tunnel, Screen(chrome, f"http://127.0.0.1:{tunnel.port}", PHONE) as screen:
        screen.excused += (*NO_NETWORK, "409", "403", "404")
        page = screen.page
        screen.open("li", f"/cases/{case}")
        expect(page.locator("[data-test=do-feedback]")).to_be_visible()
        tunnel.cut()
        page.locator("[data-test=do-feedback]").tap()
        page.fill("[data-test=field-text]", "太晚了")
        page.locator("[data-test=send]").tap()
        expect(page.locator("[data-test=kept-order]")).to_have_count(1)
        office.do(office.admin, f"cases/{case}/void", {"reason": "重复"})
        tunnel.mend()
        expect(page.locator("[data-test=kept-order]")).to_contain_text("未被接受", timeout=30_000)
        expect(page.locator("[data-test=kept-order]")).to_contain_text("太晚了")
        page.on("dialog", lambda dialog: dialog.accept())
        page.locator("[data-test=discard]").tap()
        expect(page.locator("[data-test=kept-order]")).to_have_count(0)


def test_it_can_be_installed_and_keeps_nothing_of_the_api(office: Office, chrome: Browser) -> None:
    with Screen(chrome, office.url, PHONE) as screen:
        page = screen.page
        screen.sign_in("li")
        manifest = page.evaluate("fetch('/manifest.json').then(r => r.json())")
        assert manifest["display"] == "standalone"
        for icon in manifest["icons"]:
            size = page.evaluate(
                "src => new Promise(done => { const i = new Image(); i.onload = () => done(i.width); i.src = src })",
                icon["src"],
            )
            assert f"{size}x{size}" == icon["sizes"]
        page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        page.goto(f"{office.url}/cases")
        kept = page.evaluate(
            "caches.keys().then(names => Promise.all(names.map(n => caches.open(n).then(c => c.keys()))))"
            ".then(lists => lists.flat().map(r => new URL(r.url).pathname))"
        )
        assert "/" in kept
        assert not [path for path in kept if path.startswith("/api")]
        page.locator("[data-test=person]").tap()
        page.locator("[data-test=sign-out]").tap()
        page.wait_for_selector("input#user")
        left = page.evaluate(
            "new Promise(done => { const o = indexedDB.open('gridhub'); o.onsuccess = () => {"
            " const asked = o.result.transaction('seen').objectStore('seen').count();"
            " asked.onsuccess = () => done(asked.result) } })"
        )
        assert left == 0
