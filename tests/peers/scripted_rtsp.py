"""A small RTSP camera that misbehaves as its script says, and changes when told: real sockets, TCP and UDP.

With the script that nothing was said in, it is a well-made camera: FFmpeg plays it.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import threading
import time
from collections import Counter
from dataclasses import replace
from typing import Any

from .payload import Clip
from .rtsp_media import Datagrams, Interleaved, Stream, Way
from .rtsp_script import Script
from .rtsp_words import Asked, Doorkeeper, described, wrongly_long


class ScriptedCamera:
    """`with ScriptedCamera(clip) as camera: open(camera.url)`; auth: (digest, digest-sha256 or basic, user, password).

    Every client sees the clip from its beginning, in real time. `counts`: requests by method, `sessions` (begun),
    `playing` (now), `refused`, `dropped_idle`, `receiver_reports`. `asked`: every request as it came.
    """

    def __init__(
        self,
        clip: Clip,
        script: Script | None = None,
        auth: tuple[str, str, str] | None = None,
        tls: ssl.SSLContext | None = None,
        port: int = 0,
    ) -> None:
        self.clip, self.script = clip, script or Script()
        self.door = Doorkeeper(*auth) if auth else None
        self.auth, self._tls = auth, tls
        self.counts: Counter[str] = Counter()
        self.asked: list[Asked] = []
        self.visits: set[_Visit] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.port = self._on_loop(self._listen(port))

    def _on_loop(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _listen(self, port: int) -> int:
        self._server = await asyncio.start_server(self._visited, "127.0.0.1", port, ssl=self._tls, limit=1 << 16)
        return int(self._server.sockets[0].getsockname()[1])

    async def _visited(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visit = _Visit(self, reader, writer)
        self.visits.add(visit)
        try:
            await visit.serve()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
            pass
        finally:
            self.visits.discard(visit)
            visit.end()

    @property
    def url(self) -> str:
        """With the right user and password, where it wants one."""
        return self.url_for(*self.auth[1:]) if self.auth else self.url_for("", "")

    def url_for(self, user: str, password: str) -> str:
        """With these, right or wrong; without where both are empty."""
        sign_in = f"{user}:{password}@" if user or password else ""
        return f"rtsp{'s' if self._tls else ''}://{sign_in}127.0.0.1:{self.port}/cam"

    def change(self, **to: Any) -> None:
        """From now on it behaves otherwise, for clients already there too."""
        self.script = replace(self.script, **to)

    def show(self, clip: Clip) -> None:
        """Another clip from now on, for clients already there too, beginning at its keyframe."""
        self.clip = clip

    def say(self, text: bytes) -> None:
        """Send `text` (a request of its own, or rubbish) to every client, between two packets."""

        async def say() -> None:
            for visit in list(self.visits):
                await visit.send(text)

        self._on_loop(say())

    def drop(self, reset: bool = False) -> None:
        """End every connection, with a FIN or with a reset."""

        async def drop() -> None:
            for visit in list(self.visits):
                visit.end(reset)

        self._on_loop(drop())

    def close(self) -> None:
        """Stop listening and end everything."""

        async def close() -> None:
            self._server.close()
            for visit in list(self.visits):
                visit.end()
            others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        self._on_loop(close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def __enter__(self) -> ScriptedCamera:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Visit:
    """One client's connection."""

    def __init__(self, camera: ScriptedCamera, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.camera, self.reader, self.writer = camera, reader, writer
        self.session = f"{id(self):x}"[-8:]
        self.way: Way | None = None
        self.playing: asyncio.Task[None] | None = None
        self.idle_since_s = time.monotonic()
        self.lock = asyncio.Lock()

    @property
    def script(self) -> Script:
        return self.camera.script

    @property
    def clip(self) -> Clip:
        return self.camera.clip

    async def serve(self) -> None:
        watch = asyncio.create_task(self._watch_idle())
        try:
            while (asked := await self._next()) is not None:
                self.idle_since_s = time.monotonic()
                self.camera.asked.append(asked)
                self.camera.counts[asked.method] += 1
                if not self.script.silent and not await self._answer(asked):
                    return
        finally:
            watch.cancel()

    async def _next(self) -> Asked | None:
        """The next request; receiver reports in between are counted."""
        while True:
            first = await self.reader.readexactly(1)
            if first != b"$":
                head = first + await self.reader.readuntil(b"\r\n\r\n")
                asked = Asked.parse(head)
                if asked.length:
                    await self.reader.readexactly(asked.length)
                return asked
            _, length = struct.unpack(">BH", await self.reader.readexactly(3))
            await self.reader.readexactly(length)
            self.camera.counts["receiver_reports"] += 1

    async def _answer(self, asked: Asked) -> bool:
        """False where the connection ends with it."""
        script, door = self.script, self.camera.door
        if door and asked.method != "OPTIONS" and (script.refuses_sign_in or not door.admits(asked)):
            self.camera.counts["refused"] += 1
            await self._reply(asked, 401, "Unauthorized", door.challenge())
        elif asked.method == "OPTIONS":
            await self._reply(asked, 200, "OK", f"Public: {script.public}\r\n")
        elif asked.method == "DESCRIBE" and script.redirect_to:
            await self._reply(asked, 302, "Moved Temporarily", f"Location: {script.redirect_to}\r\n")
        elif asked.method == "DESCRIBE":
            body, fields = described(self.camera.clip, asked.url, script.sprop, script.aggregate_control)
            await self._reply(asked, 200, "OK", fields + wrongly_long(body, script.describe_length_off), body)
        elif asked.method == "SETUP":
            await self._set_up(asked)
        elif asked.method == "PLAY":
            await self._play(asked)
        elif asked.method == "TEARDOWN":
            await self._reply(asked, 200, "OK")
            return False
        elif asked.method in script.public:
            await self._reply(asked, 200, "OK", f"Session: {self.session}\r\n")
        else:
            await self._reply(asked, 405, "Method Not Allowed", f"Allow: {script.public}\r\n")
        return True

    async def _reply(self, asked: Asked, status: int, reason: str, fields: str = "", body: bytes = b"") -> None:
        if not body and self.script.answer_length_off:
            fields += f"Content-Length: {self.script.answer_length_off}\r\n"
        cseq = f"CSeq: {asked.cseq}\r\n" if self.script.cseq else ""
        await self.send(f"RTSP/1.0 {status} {reason}\r\n{cseq}{fields}\r\n".encode() + body)

    async def send(self, data: bytes) -> None:
        """At the pace of the script."""
        async with self.lock:
            pace_s = self.script.byte_every_s
            for part in [data[at : at + 1] for at in range(len(data))] if pace_s else [data]:
                self.writer.write(part)
                await asyncio.sleep(self.script.byte_every_s)
            await self.writer.drain()

    async def _set_up(self, asked: Asked) -> None:
        script = self.script
        if sum(visit.way is not None for visit in self.camera.visits) >= script.most_sessions:
            await self._reply(asked, 453, "Not Enough Bandwidth")
            return
        over_tcp = "interleaved" in asked.transport or "/TCP" in asked.transport.upper()
        if not (script.tcp if over_tcp else script.udp) or "multicast" in asked.transport:
            await self._reply(asked, 461, "Unsupported Transport")
            return
        self.way = Interleaved(self, asked) if over_tcp else Datagrams(self, asked)
        timeout = f";timeout={script.session_s}" if script.session_s else ""
        fields = f"Transport: {self.way.answer}\r\nSession: {self.session}{timeout}\r\n"
        await self._reply(asked, 200, "OK", fields)

    async def _play(self, asked: Asked) -> None:
        if self.way is None:
            await self._reply(asked, 455, "Method Not Valid in This State")
            return
        self.camera.counts["sessions"] += 1
        stream = Stream(self)
        if self.script.early_media:
            await stream.step()
        await self._reply(asked, 200, "OK", f"Session: {self.session}\r\nRange: npt=now-\r\n")
        self.playing = asyncio.create_task(stream.run())
        self.camera.counts["playing"] += 1

    async def _watch_idle(self) -> None:
        while True:
            await asyncio.sleep(0.05)
            script = self.script
            if script.drops_idle and time.monotonic() - self.idle_since_s > script.session_s:
                self.camera.counts["dropped_idle"] += 1
                self.end()

    def end(self, reset: bool = False) -> None:
        """Close, with a reset if asked for."""
        if self.playing is not None:
            self.playing.cancel()
            self.playing = None
            self.camera.counts["playing"] -= 1
        if self.way is not None:
            self.way.close()
            self.way = None
        if reset:
            own = self.writer.get_extra_info("socket")
            own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.writer.transport.abort()
        else:
            self.writer.close()


__all__ = ["Script", "ScriptedCamera"]
