"""What live view costs the hub: CPU for the first viewer of a camera and for each more, in a real browser.

`python -m tests.bench.live [--seconds 20] [--viewers 8]`: one 1280x720 camera, 25 fps, about 1 Mbit/s, from a real RTSP
server, through the hub's own page of tiles. The hub's process alone is counted.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page

from tests.bench.figures import figure
from tests.e2e.desk.browser import browser
from tests.e2e.desk.office import Office
from tests.peers import clips
from tests.peers.rtsp_server import RtspServer

PLAY = """async ([camera, n]) => {
  const post = (path, body) => fetch(path, { method: 'POST', body: JSON.stringify(body),
    headers: { 'Content-Type': 'application/json', 'X-Gridhub': '1' } }).then(r => r.json())
  window.__peers ??= []
  window.__views ??= []
  for (let i = 0; i < n; i++) {
    const view = await post('/api/live', { camera, reason: 'maintenance' })
    window.__views.push(view.id)
    const peer = new RTCPeerConnection({ iceServers: [] })
    peer.addTransceiver('video', { direction: 'recvonly' })
    peer.ontrack = e => { const v = document.createElement('video'); v.muted = v.autoplay = true
      v.srcObject = new MediaStream([e.track]); document.body.append(v) }
    await peer.setLocalDescription(await peer.createOffer())
    if (peer.iceGatheringState !== 'complete') await new Promise(r => { setTimeout(r, 1000)
      peer.onicegatheringstatechange = () => peer.iceGatheringState === 'complete' && r() })
    const { sdp } = await post(`/api/live/${view.id}/offer`, { sdp: peer.localDescription.sdp })
    await peer.setRemoteDescription({ type: 'answer', sdp })
    window.__peers.push(peer)
  }
  window.__beat ??= setInterval(() => post('/api/live/beat', { ids: window.__views }), 4000)
}"""
FRAMES = """async () => {
  let sum = 0
  for (const peer of window.__peers) for (const s of (await peer.getStats()).values())
    if (s.type === 'inbound-rtp') sum += s.framesReceived ?? 0
  return sum
}"""


def cpu_s(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measured(page: Page, pid: int, seconds: float) -> tuple[float, float]:
    """(per cent of a core, frames that all viewers got a second)"""
    page.wait_for_timeout(4000)
    frames, cpu, began = page.evaluate(FRAMES), cpu_s(pid), time.monotonic()
    page.wait_for_timeout(seconds * 1000)
    took = time.monotonic() - began
    return 100 * (cpu_s(pid) - cpu) / took, (page.evaluate(FRAMES) - frames) / took


def main() -> None:
    """See the module."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=20.0)
    options.add_argument("--viewers", type=int, default=8)
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as temporary, RtspServer() as server:
        folder = Path(temporary)
        clip = clips.encode(
            clips.scene(250, 1280, 720, noise=1.0), folder / "c.mp4", fps=25, gop=50, bit_rate=1_000_000
        )
        url = server.play("/bench", clip)
        with Office(folder) as office, browser() as running:
            office.add("cameras", {"id": "bench", "name": "bench", "url": url, "lon": 107.6, "lat": 35.7})
            context = running.new_context()
            context.add_cookies(
                [{"name": c.name, "value": c.value or "", "url": office.url} for c in office.admin.cookies.jar]
            )
            page = context.new_page()
            page.goto(office.url)
            pid = office.hub.pid
            page.evaluate("window.__peers = []")
            idle, _none = measured(page, pid, asked.seconds)
            page.evaluate(PLAY, ["bench", 1])
            first, rate = measured(page, pid, asked.seconds)
            figure("live", "first viewer", round(first - idle, 2), "% of a core")
            figure("live", "frames a second, first viewer", round(rate, 1), "1/s")
            page.evaluate(PLAY, ["bench", asked.viewers - 1])
            all_, rate = measured(page, pid, asked.seconds)
            figure("live", "each more viewer", round((all_ - first) / (asked.viewers - 1), 2), "% of a core")
            figure("live", f"frames a second, {asked.viewers} viewers", round(rate, 1), "1/s")
            context.close()


if __name__ == "__main__":
    main()
