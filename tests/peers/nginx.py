"""A real web server (nginx) as a camera that answers with one JPEG, behind Basic sign-in where wanted."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from . import free_port, listens, need, stop_process, wait_until

_CONF = """
worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log; daemon off; {user}
events {{ worker_connections 256; }}
http {{
  access_log off; types {{ image/jpeg jpg; text/html html; }} default_type application/octet-stream;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{ listen 127.0.0.1:{port}; root {folder}/www; {auth} }}
}}
"""


class Nginx:
    """`with Nginx() as web: web.put("snap.jpg", jpeg); web.url("/snap.jpg")`."""

    def __init__(self, user: str | None = None, password: str | None = None) -> None:
        self._temporary = tempfile.TemporaryDirectory(prefix="nginx-")
        self._folder = Path(self._temporary.name)
        self._folder.chmod(0o755)
        (self._folder / "www").mkdir()
        self.port, self.user, self.password = free_port(), user, password
        auth = ""
        if user:
            passwords = self._folder / "passwords"
            passwords.write_text(f"{user}:{{PLAIN}}{password}\n")
            auth = f'auth_basic "camera"; auth_basic_user_file {passwords};'
        root = Path("/proc/self").stat().st_uid == 0
        conf = _CONF.format(folder=self._folder, port=self.port, auth=auth, user="user root;" if root else "")
        (self._folder / "nginx.conf").write_text(conf)
        self._process = subprocess.Popen(
            [need("nginx"), "-c", str(self._folder / "nginx.conf"), "-p", str(self._folder)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(lambda: listens(self.port) or self._process.poll() is not None, what="nginx listening")
        assert self._process.poll() is None, (self._folder / "error.log").read_text()

    def put(self, name: str, data: bytes) -> str:
        """Serve `data` as `name` from now on (replaced at once, never half); returns the URL."""
        new = self._folder / f"{name}.new"
        new.write_bytes(data)
        new.rename(self._folder / "www" / name)
        return self.url("/" + name)

    def url(self, path: str, user: str | None = None, password: str | None = None) -> str:
        """The URL with the right user and password unless others are given."""
        if user is None:
            user, password = self.user, self.password
        sign_in = f"{user}:{password}@" if user else ""
        return f"http://{sign_in}127.0.0.1:{self.port}{path}"

    def close(self) -> None:
        """Stop the server and remove its files."""
        stop_process(self._process)
        self._temporary.cleanup()

    def __enter__(self) -> Nginx:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
