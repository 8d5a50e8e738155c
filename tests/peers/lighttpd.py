"""A real web server (lighttpd) as a camera behind Digest sign-in."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from . import free_port, listens, need, stop_process, wait_until

_CONF = """
server.document-root = "{folder}/www"
server.port = {port}
server.bind = "127.0.0.1"
server.modules = ("mod_auth", "mod_authn_file", "mod_accesslog")
server.max-keep-alive-idle = 30
accesslog.filename = "{folder}/access.log"
accesslog.format = "%p %m %U %s"
mimetype.assign = (".jpg" => "image/jpeg")
auth.backend = "plain"
auth.backend.plain.userfile = "{folder}/passwords"
auth.require = ("" => (
  "method" => "digest", "algorithm" => "{algorithm}", "realm" => "camera", "require" => "valid-user"
))
"""


class Lighttpd:
    """`with Lighttpd("admin", "right", "SHA-256") as web: web.put("snap.jpg", jpeg)`."""

    def __init__(self, user: str, password: str, algorithm: str = "MD5") -> None:
        self._temporary = tempfile.TemporaryDirectory(prefix="lighttpd-")
        self._folder = Path(self._temporary.name)
        (self._folder / "www").mkdir()
        (self._folder / "passwords").write_text(f"{user}:{password}\n")
        self.port, self.user, self.password = free_port(), user, password
        conf = self._folder / "lighttpd.conf"
        conf.write_text(_CONF.format(folder=self._folder, port=self.port, algorithm=algorithm))
        self._process = subprocess.Popen(
            [need("lighttpd"), "-D", "-f", str(conf)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_until(lambda: listens(self.port) or self._process.poll() is not None, what="lighttpd listening")
        assert self._process.poll() is None, "lighttpd did not start"

    def put(self, name: str, data: bytes) -> str:
        """Serve `data` as `name` from now on; returns the URL with the right user and password."""
        (self._folder / "www" / name).write_bytes(data)
        return self.url("/" + name, self.user, self.password)

    def url(self, path: str, user: str, password: str) -> str:
        """The URL for that user."""
        return f"http://{user}:{password}@127.0.0.1:{self.port}{path}"

    def answers(self) -> list[int]:
        """The status of every request so far, once the server was stopped."""
        stop_process(self._process)
        return [int(line.split()[-1]) for line in (self._folder / "access.log").read_text().splitlines()]

    def close(self) -> None:
        """Stop the server and remove its files."""
        stop_process(self._process)
        self._temporary.cleanup()

    def __enter__(self) -> Lighttpd:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
