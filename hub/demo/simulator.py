"""The street simulator, in its own process: cameras over HTTP, sensors over MQTT, and a door for the hub's webhooks.

Everything the hub and its worker learn from it they learn as any camera or sensor would tell them.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import re
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from zoneinfo import ZoneInfo

import cv2

from .answers import AnswerRefused, read, verify
from .district import District
from .publishing import Publisher
from .street import Street, StreetError
from .timeline import Event, Happenings, Seen, Timeline

log = logging.getLogger("demo.simulator")

VIDEO_FPS = 4.0
KEYFRAME_EVERY_S = 2.0
_JPEG_QUALITY = 82
_LARGEST_ANSWER = 65536


class World:
    """The district's present: one clock, one list of happenings, for every thread of the simulator.

    Its time begins when somebody first looks at a camera, so that nothing happens unseen while the hub starts.
    """

    def __init__(
        self, street: Street, timeline: Timeline, timezone: ZoneInfo, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._street, self._timezone, self._clock = street, timezone, clock
        self._happenings = Happenings(timeline)
        self._lock = threading.Lock()
        self._started: float | None = None
        self._heard: set[str] = set()

    def now_s(self) -> float:
        """Seconds since the first look; 0 before it."""
        return self._clock() - self._started if self._started is not None else 0.0

    def look(self, place: str) -> tuple[list[Seen], float | None]:
        """What is going on at a camera or sensor now, and when somebody last put things right there."""
        with self._lock:
            now_s = self.now_s()
            for event in self._happenings.advance(now_s):
                log.info("%.0f s: %s", now_s, _told(event))
            return self._happenings.at(place, now_s), self._happenings.cleared_s(place)

    def picture(self, camera: str) -> cv2.typing.MatLike | None:
        """The picture of this instant, BGR; None while the camera is offline. Raises KeyError."""
        if camera not in self._street.cameras:
            raise KeyError(camera)
        with self._lock:
            self._started = self._clock() if self._started is None else self._started
        seen, _cleared = self.look(camera)
        if any(s.event.trouble == "offline" for s in seen):
            return None
        return self._street.picture(camera, self.now_s(), datetime.now(self._timezone), seen)

    def answered(self, secret: str, headers: dict[str, str], body: bytes) -> int:
        """A webhook delivery: how many events it ends or lessens. Raises AnswerRefused."""
        answer = read(verify(secret, headers, body, datetime.now(UTC)))
        with self._lock:
            if answer is None or answer.id in self._heard:
                return 0
            self._heard.add(answer.id)
            touched = self._happenings.answered(answer.place, answer.kind, self.now_s())
        log.info("%.0f s: handled %s at %s, %d changed", self.now_s(), answer.kind, answer.place, len(touched))
        return len(touched)


def _told(event: Event) -> str:
    return f"{event.place}: {event.trouble or event.shows or event.kind}"


@dataclass(frozen=True, slots=True)
class Door:
    """What the HTTP handler needs."""

    world: World
    secret: str


class _Server(ThreadingHTTPServer):
    """A thread a request, two threads for all painting: what ever new threads allocate hardly goes back."""

    daemon_threads = True
    request_queue_size = 64
    door: Door

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.painters = ThreadPoolExecutor(2, "painter")
        self.ending = threading.Event()

    def shutdown(self) -> None:
        """End every standing video before the painters go with the interpreter."""
        self.ending.set()
        super().shutdown()

    def server_close(self) -> None:
        super().server_close()
        self.painters.shutdown(wait=False)

    def picture(self, camera: str) -> cv2.typing.MatLike | None:
        """As the world's; None, too, once the street is closing down."""
        if self.ending.is_set():
            return None
        return self.painters.submit(self.door.world.picture, camera).result()

    def jpeg(self, camera: str) -> bytes | None:
        """The same, encoded."""
        if self.ending.is_set():
            return None
        return self.painters.submit(_jpeg, self.door.world, camera).result()

    def handle_error(self, request: object, client_address: object) -> None:
        """A viewer that goes away is no error; anything else is."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            log.exception("a request failed")


def _jpeg(world: World, camera: str) -> bytes | None:
    picture = world.picture(camera)
    if picture is None:
        return None
    ok, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    if not ok:
        raise ValueError(f"the picture of {camera} cannot be encoded")
    return jpeg.tobytes()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    timeout = 60

    def do_GET(self) -> None:
        """`/camera/ID.jpg`: one picture. `/camera/ID.ts`: standing video."""
        match = re.fullmatch(r"/camera/([\w-]+)\.(jpg|ts)", self.path)
        try:
            if match is None:
                self.send_error(404)
            elif match[2] == "jpg":
                self._snapshot(match[1])
            else:
                self._video(match[1])
        except KeyError:
            self.send_error(404, f"no camera {match[1]}" if match else None)

    def do_POST(self) -> None:
        """`/answers`: the hub's signed webhooks."""
        length = int(self.headers.get("Content-Length") or 0)
        if self.path != "/answers" or not 0 < length <= _LARGEST_ANSWER:
            self.close_connection = True
            self.send_error(404)
            return
        body = self.rfile.read(length)
        try:
            self.server.door.world.answered(self.server.door.secret, dict(self.headers), body)
        except AnswerRefused as error:
            log.warning("an answer was refused: %s", error)
            self.send_error(401, str(error))
            return
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Requests are not logged: there are five a second."""

    def _snapshot(self, camera: str) -> None:
        jpeg = self.server.jpeg(camera)
        if jpeg is None:
            self.close_connection = True  # no answer at all, as from a dead camera
            return
        self.send_response(200)
        self.send_header("Content-Type", "image/jpeg")
        self.send_header("Content-Length", str(len(jpeg)))
        self.end_headers()
        self.wfile.write(jpeg)

    def _video(self, camera: str) -> None:
        """MPEG-TS with H.264 for as long as the viewer stays and the camera lives."""
        from ingest.media import Encoder

        picture = self.server.picture(camera)
        self.close_connection = True
        if picture is None:
            return
        self.send_response(200)
        self.send_header("Content-Type", "video/mp2t")
        self.send_header("Connection", "close")
        self.end_headers()
        encoder = Encoder(picture.shape[1], picture.shape[0], VIDEO_FPS, KEYFRAME_EVERY_S)
        started = time.monotonic()
        count = 0
        while picture is not None:
            self.wfile.write(encoder.add(picture))
            count += 1
            time.sleep(max(0.0, started + count / VIDEO_FPS - time.monotonic()))
            picture = self.server.picture(camera)


def serve(door: Door, port: int = 0) -> _Server:
    """A listening server on 127.0.0.1, not yet answering; its address is `server_address`."""
    server = _Server(port)
    server.door = door
    return server


def main() -> int:
    """Run until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m hub.demo.simulator", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="the folder configs/demo")
    parser.add_argument("--broker", required=True, help="mqtt://HOST:PORT")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--ready", type=Path, required=True, help="file to make once it answers")
    parser.add_argument(
        "--secret-file", type=Path, required=True, help="the secret that the hub signs its webhooks with"
    )
    parser.add_argument("--verbose", action="store_true", help="say what happens, as it happens")
    args = parser.parse_args()
    logging.basicConfig(
        level=logging.INFO if args.verbose else logging.WARNING, format="street: %(message)s", stream=sys.stderr
    )
    for noisy in ("amqtt", "transitions"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    cv2.setNumThreads(1)
    district = District.load(args.config)
    street = Street.load(args.config / "street.yaml", args.config / "scenes")
    timeline = Timeline.from_yaml(args.config / "timeline.yaml")
    if problems := street.problems((*timeline.opening, *timeline.pool)):
        raise StreetError(problems)
    world = World(street, timeline, district.timezone)
    server = serve(Door(world, args.secret_file.read_text(encoding="ascii").strip()), args.port)
    threading.Thread(target=server.serve_forever, name="http", daemon=True).start()
    args.ready.touch()
    asyncio.run(_publish(Publisher(args.broker, district.simulated_sensors(), world.look, world.now_s)))
    server.shutdown()
    return 0


async def _publish(publisher: Publisher) -> None:
    task = asyncio.ensure_future(publisher.run())
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        return


if __name__ == "__main__":
    raise SystemExit(main())
