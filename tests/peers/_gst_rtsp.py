#!/usr/bin/python3
"""gst-rtsp-server as a camera: run by the system's Python, told on standard input what to show at which path.

    play PATH CODEC FPS UNITS_FILE     show a clip at PATH from now on (a new path, or in place of what is there)
    stop PATH                          send nothing at PATH any more; the connection stays open
    share PATTERN FIRST STEP COUNT OFFSET CODEC FPS UNITS_FILE
                                       one pipeline for the paths PATTERN % n, n = FIRST, FIRST + STEP, … below COUNT;
                                       the clip begins at its picture OFFSET; answers "ok" and when that one was sent
    wait                               answer when every shared pipeline runs
Standard output: "ready PORT" once, then "ok …" or "error …" for each line.
Arguments: PORT (0: any) [basic|digest USER PASSWORD]
"""

import heapq
import itertools
import struct
import sys
import threading
import time

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

LAUNCH = (
    "( appsrc name=src is-live=true format=time do-timestamp=true block=false max-time=1000000000 max-bytes=0 "
    "max-buffers=0 leaky-type=downstream caps=video/x-{codec},stream-format=byte-stream,alignment=au,framerate={fps} "
    "! {codec}parse config-interval=-1 ! rtp{codec}pay name=pay0 pt=96 mtu=1400 )"
)


def read_units(path):
    with open(path, "rb") as file:
        data = file.read()
    units, at = [], 0
    while at < len(data):
        (size,) = struct.unpack_from(">I", data, at)
        units.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    return units


class Factory(GstRtspServer.RTSPMediaFactory):
    """One path: one shared pipeline, prepared once and held, fed in real time from the clip of the moment."""

    def __init__(self, codec, fps):
        super().__init__()
        self.codec = codec
        self.fps = fps
        self.clip = None
        self.set_launch(LAUNCH.format(codec=codec, fps=fps))
        self.set_shared(True)
        self.connect("media-configure", self.on_media)

    def hold(self, server, path):
        _, url = GstRtsp.RTSPUrl.parse("rtsp://127.0.0.1" + path)
        self.held = self.construct(url)
        thread = server.get_thread_pool().get_thread(GstRtspServer.RTSPThreadType.MEDIA, GstRtspServer.RTSPContext())
        if not self.held.prepare(thread):
            raise RuntimeError("cannot prepare " + path)

    def do_gen_key(self, url):
        return "the only one"

    def on_media(self, _factory, media):
        source = media.get_element().get_by_name("src")
        gone = threading.Event()
        media.connect("unprepared", lambda _media: gone.set())
        threading.Thread(target=self.pump, args=(source, gone), daemon=True).start()

    def pump(self, source, gone):
        playing, at, due = None, 0, time.monotonic()
        while not gone.is_set():
            clip = self.clip
            if clip is not playing:
                playing, at = clip, 0
            if playing:
                unit = playing[0][at % len(playing[0])]
                at += 1
                result = source.emit("push-buffer", Gst.Buffer.new_wrapped(unit))
                if result not in (Gst.FlowReturn.OK, Gst.FlowReturn.FLUSHING):
                    return
            due += 1 / (playing[1] if playing else 10)
            time.sleep(max(0.0, due - time.monotonic()))


class SharedFactory(Factory):
    """Many paths, one pipeline: the cheapest way to serve thousands. One `Feeder` feeds all of its kind."""

    def __init__(self, codec, fps, feeder, units, offset):
        super().__init__(codec, fps)
        self.feeder, self.units, self.offset = feeder, units, offset
        self.fed = threading.Event()

    def hold(self, server, path):
        # A pipeline runs from its first keyframe on, which may be seconds away: all wait for theirs together.
        self.holding = threading.Thread(target=super().hold, args=(server, path), daemon=True)
        self.holding.start()

    def on_media(self, _factory, media):
        source = media.get_element().get_by_name("src")
        self.began = self.feeder.add(source, self.units, eval_rate(self.fps), self.offset)
        self.fed.set()


class Feeder:
    """Sends the pictures of all shared pipelines at their times from one thread: a thread each would cost more."""

    def __init__(self):
        self.due = []
        self.turn = threading.Condition()
        self.order = itertools.count()
        threading.Thread(target=self.run, daemon=True).start()

    def add(self, source, units, rate, offset):
        """Begins at once, a share of a picture later than the one before; returns the wall-clock time of that."""
        buffers = [Gst.Buffer.new_wrapped(unit) for unit in units]
        with self.turn:
            order = next(self.order)
            began = time.monotonic() + order * 0.618 % 1.0 / rate
            heapq.heappush(self.due, (began, order, began, 0, source, buffers, rate, offset))
            self.turn.notify()
            return time.time() - time.monotonic() + began

    def run(self):
        while True:
            with self.turn:
                while not self.due or self.due[0][0] > time.monotonic():
                    self.turn.wait(self.due[0][0] - time.monotonic() if self.due else None)
                _, order, began, sent, source, buffers, rate, offset = heapq.heappop(self.due)
            source.emit("push-buffer", buffers[(offset + sent) % len(buffers)].copy())
            sent += 1
            with self.turn:
                entry = (began + sent / rate, order, began, sent, source, buffers, rate, offset)
                heapq.heappush(self.due, entry)


def signed_in(server, kind, user, password):
    auth = GstRtspServer.RTSPAuth()
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "user")
    if kind == "digest":
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        auth.add_digest(user, password, token)
    else:
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    server.set_auth(auth)


ROLE = "user,media.factory.access=(boolean)true,media.factory.construct=(boolean)true"


def play(server, factories, auth, path, codec, fps, units_file):
    rate = eval_rate(fps)
    units = read_units(units_file)
    factory = factories.get(path)
    if factory is None or factory.codec != codec:
        factory = Factory(codec, fps)
        if auth:
            factory.add_role_from_structure(Gst.Structure.from_string(ROLE)[0])
        factory.clip = (units, rate)
        server.get_mount_points().add_factory(path, factory)
        factory.hold(server, path)
        factories[path] = factory
    else:
        factory.clip = (units, rate)


def share(server, shared, feeder, auth, pattern, first, step, count, offset, codec, fps, units_file):
    factory = SharedFactory(codec, fps, feeder, read_units(units_file), int(offset))
    if auth:
        factory.add_role_from_structure(Gst.Structure.from_string(ROLE)[0])
    for n in range(int(first), int(count), int(step)):
        server.get_mount_points().add_factory(pattern % n, factory)
    factory.hold(server, pattern % int(first))
    if not factory.fed.wait(10):
        raise RuntimeError("no pipeline for " + pattern)
    shared.append(factory)
    return factory.began


def eval_rate(text):
    above, _, below = text.partition("/")
    return int(above) / int(below or 1)


def obey(server, factories, auth):
    feeder, shared = None, []
    for line in sys.stdin:
        words, answer = line.split(), ""
        try:
            if words[0] == "play":
                play(server, factories, auth, words[1], words[2], words[3], " ".join(words[4:]))
            elif words[0] == "stop":
                factories[words[1]].clip = None
            elif words[0] == "share":
                feeder = feeder or Feeder()
                answer = share(server, shared, feeder, auth, *words[1:8], " ".join(words[8:]))
            elif words[0] == "wait":
                for factory in shared:
                    factory.holding.join()
            else:
                raise ValueError("unknown word " + words[0])
            print("ok", answer, flush=True)
        except Exception as error:  # noqa: BLE001 - told to the test, which fails
            print("error", repr(error), flush=True)


def main():
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(sys.argv[1])
    server.set_backlog(4096)
    auth = sys.argv[2:5] if len(sys.argv) > 4 else None
    if auth:
        signed_in(server, *auth)
    server.attach(None)
    print("ready", server.get_bound_port(), flush=True)
    loop = GLib.MainLoop()

    def listen():
        obey(server, {}, auth)
        loop.quit()

    threading.Thread(target=listen, daemon=True).start()
    loop.run()


main()
