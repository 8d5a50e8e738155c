"""A real MQTT broker (Mosquitto): on a free port, with a password file or a persistence folder where wanted."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from . import free_port, listens, need, stop_process, wait_until


@dataclass(frozen=True)
class Papers:
    """A CA of our own, the broker's certificate (for 127.0.0.1) and key, and a client's. PEM files in one folder."""

    folder: Path
    wants_ours: bool = False

    ca = property(lambda self: self.folder / "ca.pem")
    certificate = property(lambda self: self.folder / "broker.pem")
    key = property(lambda self: self.folder / "broker.key")
    our_certificate = property(lambda self: self.folder / "hub.pem")
    our_key = property(lambda self: self.folder / "hub.key")

    def issue(self) -> Papers:
        """Make them with OpenSSL."""
        openssl, curve = need("openssl"), ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        ca_key = self.folder / "ca.key"
        own = [
            openssl,
            "req",
            "-x509",
            *curve,
            "-days",
            "2",
            "-subj",
            "/CN=District CA",
            "-keyout",
            ca_key,
            "-out",
            self.ca,
        ]
        own += ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign"]
        subprocess.run(own, check=True, capture_output=True)
        for name, subject in (("broker", "/CN=broker"), ("hub", "/CN=gridhub")):
            wanted = self.folder / f"{name}.csr"
            request = [
                openssl,
                "req",
                "-new",
                *curve,
                "-subj",
                subject,
                "-keyout",
                self.folder / f"{name}.key",
                "-out",
                wanted,
            ]
            subprocess.run(request, check=True, capture_output=True)
            about = self.folder / f"{name}.ext"
            about.write_text("subjectAltName=IP:127.0.0.1\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n")
            sign = [
                openssl,
                "x509",
                "-req",
                "-in",
                wanted,
                "-CA",
                self.ca,
                "-CAkey",
                ca_key,
                "-CAcreateserial",
                "-days",
                "2",
            ]
            sign += ["-extfile", about, "-out", self.folder / f"{name}.pem"]
            subprocess.run(sign, check=True, capture_output=True)
        return self


class Mosquitto:
    """`with Mosquitto() as broker: broker.url`. `start`, `kill` (SIGKILL) and `restart` keep port and folder."""

    def __init__(
        self,
        folder: Path | None = None,
        user: str | None = None,
        password: str | None = None,
        save_every_change: bool = False,
        papers: Papers | None = None,
        more: Sequence[str] = (),
    ) -> None:
        self._program = need("mosquitto")
        self._temporary = tempfile.TemporaryDirectory(prefix="mosquitto-")
        self._own = Path(self._temporary.name)
        self.port = free_port()
        self.user, self.password = user, password
        self._papers, self._more = papers, more
        self._configure(folder, save_every_change)
        self.start()

    def _configure(self, folder: Path | None, save_every_change: bool) -> None:
        lines = [
            f"listener {self.port} 127.0.0.1",
            "max_queued_messages 0",
            "max_inflight_messages 0",
            f"allow_anonymous {'false' if self.user else 'true'}",
        ]
        if self.user:
            passwords = self._own / "passwords"
            passwords.touch(mode=0o600)
            command = [need("mosquitto_passwd"), "-b", str(passwords), self.user, self.password or ""]
            subprocess.run(command, check=True, capture_output=True)
            self._own.chmod(0o755)
            passwords.chmod(0o644)
            lines.append(f"password_file {passwords}")
        if folder is not None:
            # Saving the whole store after each change survives SIGKILL, and costs a burst minutes; else once a second.
            lines += ["persistence true", f"persistence_location {folder}/", "autosave_interval 1", "user root",
                      f"autosave_on_changes {'true' if save_every_change else 'false'}"]  # fmt: skip
        else:
            lines.append("persistence false")
        if self._papers is not None:
            papers = self._papers
            lines += [f"cafile {papers.ca}", f"certfile {papers.certificate}", f"keyfile {papers.key}"]
            lines += ["require_certificate true", "use_identity_as_username true"] if papers.wants_ours else []
            lines += ["user root"] if folder is None else []
        (self._own / "mosquitto.conf").write_text("\n".join([*lines, *self._more]) + "\n")

    @property
    def url(self) -> str:
        """mqtt:// URL, with user and password where the broker wants them."""
        sign_in = f"{self.user}:{self.password}@" if self.user else ""
        return f"{'mqtts' if self._papers else 'mqtt'}://{sign_in}127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Of the broker's process."""
        return self._process.pid

    def start(self) -> None:
        """Run the broker; returns when it accepts connections."""
        self._process = subprocess.Popen(
            [self._program, "-c", str(self._own / "mosquitto.conf")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(lambda: listens(self.port) or self._process.poll() is not None, what="mosquitto listening")
        assert self._process.poll() is None, "mosquitto ended at once"

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()
        self._process.wait()

    def restart(self) -> None:
        """SIGTERM (which saves the persistence file), then start again."""
        stop_process(self._process)
        self.start()

    def publish(self, topic: str, payload: str | bytes, qos: int = 1, retain: bool = False) -> None:
        """Publish with Mosquitto's own client; returns when the broker has acknowledged."""
        data = payload.encode() if isinstance(payload, str) else payload
        sign_in = ["-u", self.user, "-P", self.password or ""] if self.user else []
        if self._papers:
            papers = self._papers
            sign_in += ["--cafile", str(papers.ca), "--cert", str(papers.our_certificate), "--key", str(papers.our_key)]
        command = [need("mosquitto_pub"), "-V", "5", "-h", "127.0.0.1", "-p", str(self.port), "-t", topic, "-q",
                   str(qos), "-s", *sign_in, *(["-r"] if retain else [])]  # fmt: skip
        subprocess.run(command, input=data, check=True, timeout=20)

    def publish_lines(self, topic: str, payloads: list[str], qos: int = 1) -> None:
        """Publish many one-line payloads over one connection; returns when the broker has acknowledged them."""
        sign_in = ["-u", self.user, "-P", self.password or ""] if self.user else []
        command = [need("mosquitto_pub"), "-V", "5", "-h", "127.0.0.1", "-p", str(self.port), "-t", topic, "-q",
                   str(qos), "-l", *sign_in]  # fmt: skip
        subprocess.run(command, input="\n".join(payloads).encode() + b"\n", check=True, timeout=60)

    def close(self) -> None:
        """Stop the broker and remove its files."""
        stop_process(self._process)
        self._temporary.cleanup()

    def __enter__(self) -> Mosquitto:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
