# SPDX-License-Identifier: MIT
"""A SIP phone on this PC: baresip, unmodified, that registers with a call manager, by TCP or by TLS with the phone's key.

    with SipPhone(folder, "SEP00270DC01C92", ("127.0.0.1", 5061), files=SipFiles(certificate, authorities, socket)) as phone:
        phone.wait_for("200 OK")

With `files` it uses TLS: the agent keeps `certificate` (PEM, with the block that stands for the key) and `authorities` (the
call managers' certificates, PEM) for programs that only know files; `socket` is the agent's.
"""

import dataclasses
import os
import queue
import subprocess
import threading
import time
from pathlib import Path

from tests.helpers.servers import trixie

MODULES = ("stdio", "g711", "uuid")
APPLICATIONS = ("account", "menu")
INTERVAL = 60  # seconds that a registration lasts


@dataclasses.dataclass(frozen=True)
class SipFiles:
    """The agent's files that a SIP stack needs for TLS. certificate None: the phone has none."""

    certificate: Path | None
    authorities: Path
    socket: Path


class SipPhone:
    """baresip, registering `device` with the call manager at (address, port). A context manager; close() ends it.

    heard: its lines so far."""

    def __init__(self, folder, device, server, files=None, interval=INTERVAL):
        trixie.fetch()
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.heard = []
        self._lines = queue.SimpleQueue()
        (self.folder / "config").write_text(configuration(files, trixie.BARESIP_MODULES))
        (self.folder / "accounts").write_text(account(device, server, files is not None, interval))
        environment = dict(os.environ)
        if files is not None:
            environment = trixie.environment(self.folder, files.socket)
        self._process = subprocess.Popen(
            trixie.command("baresip", "-f", self.folder, "-v"), env=environment, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        )  # fmt: skip
        threading.Thread(target=self._listen, daemon=True, name="baresip").start()

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.close()

    @property
    def process(self):
        """baresip's process id."""
        return self._process.pid

    def wait_for(self, *texts, timeout=20.0):
        """The next line that has one of these texts. AssertionError with all lines so far where none comes."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                line = None
            if line is None:
                said = "\n".join(self.heard)
                raise AssertionError(f"baresip did not say {' or '.join(texts)} within {timeout} s, but:\n{said}")
            if any(text in line for text in texts):
                return line

    def registered(self, timeout=20.0):
        """True if baresip's next answer is that it is registered, else the line."""
        line = self.wait_for("200 OK", "reg: ", "init failed", timeout=timeout)
        return True if "200 OK" in line else line

    def close(self):
        """End baresip, which unregisters."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()

    def _listen(self):
        output = self._process.stdout
        assert output is not None, "it was started with a pipe"
        with output:
            for line in output:
                line = "".join(letter for letter in line if letter.isprintable())
                self.heard.append(line)
                self._lines.put(line)
        self._lines.put(None)


def configuration(files, modules):
    """baresip's `config`: modules, and for TLS the files of certificate and authorities."""
    lines = [f"module_path {modules}", "sip_listen 0.0.0.0:0"]
    lines += [f"module {name}.so" for name in MODULES] + [f"module_app {name}.so" for name in APPLICATIONS]
    if files is not None:
        lines += [f"sip_cafile {files.authorities}", "sip_verify_server yes"]
        lines += [f"sip_certificate {files.certificate}"] if files.certificate else []
    return "\n".join(lines) + "\n"


def account(device, server, secure, interval=INTERVAL):
    """baresip's `accounts`: one account of the device, which registers every `interval` seconds."""
    transport = "tls" if secure else "tcp"
    return f"<sip:{device}@{server[0]}:{server[1]};transport={transport}>;regint={interval}\n"
