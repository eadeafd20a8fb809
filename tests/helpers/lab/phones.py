# SPDX-License-Identifier: MIT
"""The phones that scenarios run on: CPython in this process, and MicroPython for arm64 as it runs on a board.

Both keep their flash in a file, so a test can read it from outside with the phone's own store. The board's phone is in
tests/hil/test_procedures.py. A phone's folder is what boards/phone.py expects.
"""

import asyncio
import base64
import io
import json
import os
import queue
import shutil
import socket
import subprocess
import tempfile
import threading
from pathlib import Path

from agent import settings as agent_settings
from agent.errors import TrustLost
from agent.flash.store import Store
from agent.main import Phone as AgentPhone
from hal import host
from host_tools.image.provision import Region
from host_tools.image.software import unpack

ROOT = Path(__file__).resolve().parents[3]
FLASH_SIZE = 1 << 20
HEAP = "1M"  # the interpreter's own default is 2 MB
BOOT_LIMIT = 60  # seconds
ANSWER_LIMIT = 20  # seconds
SECTIONS = ("ctl", "itl", "configuration-name", "configuration", "tvs-servers", "configuration-time")


class Phone:
    """One phone. boot() gives the decisions of that boot, oldest first, as dictionaries like agent.trust.decision's.

    waits: settings of its timeouts."""

    def __init__(self, mac):
        self.waits = {}
        self.mac = mac
        self.device = f"SEP{mac}"
        self.servers = []

    def point_at(self, servers):
        """Use these TFTP servers, "host:port", from the next boot on."""
        self.servers = list(servers)

    @property
    def settings(self):
        """phone.json."""
        return {"mac": self.mac, "model": "8861", "tftp": self.servers, **self.waits}

    def stored(self):
        """{section: bytes} of the SECTIONS that are on its flash; None where a test cannot read the flash."""
        return sections(self.flash_content())


class FolderPhone(Phone):
    """A phone whose flash is the file `store` in a folder of its own."""

    def __init__(self, mac):
        super().__init__(mac)
        self.folder = Path(tempfile.mkdtemp(prefix="phone-"))  # short: a Unix socket in it has 107 bytes for its path
        self.store = self.folder / "store"
        self.store.write_bytes(bytes(FLASH_SIZE))

    def flash_content(self):
        return self.store.read_bytes()

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)


class HostPhone(FolderPhone):
    """The agent in this process, on the host's HAL; each boot is a new object that knows only its flash."""

    kind = "host"

    def __init__(self, mac):
        super().__init__(mac)
        self.running = None
        self._loop = asyncio.Runner()

    def boot(self):
        self._power_off()
        values = agent_settings.Settings(self.settings)
        hal = host.Hal(
            board=host.Board(values.mac, values.model),
            flash=host.Flash(self.store, FLASH_SIZE),
            console=host.Console(writer=io.StringIO()),
        )
        self.running = AgentPhone(hal, values)
        self._loop.run(self.running.boot())
        return [decision.as_dict() for decision in self.running.history.decisions]

    def status(self):
        return self.running.view.status()

    def judge(self, purpose, certificate):
        """The decision about a TLS server with this certificate (DER), as another program of the phone gets it."""
        return self._loop.run(self.running.programs.judge(purpose, certificate)).as_dict()

    def erase(self):
        """A person at the phone erases everything."""
        self._loop.run(self.running.work.erase("all"))

    def _power_off(self):
        if self.running is not None:
            self.running.hal.flash.close()
            self.running = None

    def close(self):
        self._power_off()
        self._loop.close()
        super().close()


class MicroPythonPhone(FolderPhone):
    """boards/phone.py in MicroPython for arm64 under user-mode emulation, on the software of the image.

    It boots once when it starts and stays; the next boot pulls its plug and starts it again.
    """

    kind = "micropython"

    def __init__(self, mac, software):
        super().__init__(mac)
        self.software = software
        self.process = None
        self.heard = None

    def boot(self):
        self._power_off()
        (self.folder / "phone.json").write_text(json.dumps(self.settings))
        environment = {
            **os.environ,
            "MICROPYPATH": str(self.software),
            "PHONETRUST_LIBRARY": str(self.software / "libphonetrust.so"),
        }
        self.process = subprocess.Popen(
            [ROOT / "host_tools/setup/micropython", "aarch64", "-X", f"heapsize={HEAP}", "-m", "phone", self.folder],
            env=environment,
            cwd=self.folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self.heard = queue.SimpleQueue()
        threading.Thread(target=_listen, args=(self.process.stdout, self.heard), daemon=True).start()
        self._expect("ready; type help", BOOT_LIMIT)
        return self.status()["decisions"]

    def status(self):
        self._type("show status")
        return json.loads(self._expect("{", ANSWER_LIMIT))

    def judge(self, purpose, certificate):
        """The decision about a TLS server with this certificate (DER), asked on the phone's Unix socket."""
        request = {"id": 1, "do": "judge", "purpose": purpose, "certificate": base64.b64encode(certificate).decode()}
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(ANSWER_LIMIT)
            connection.connect(str(self.folder / "trust.sock"))
            with connection.makefile("rw") as lines:
                assert json.loads(lines.readline())["protocol"] == 1
                lines.write(json.dumps(request) + "\n")
                lines.flush()
                answer = json.loads(lines.readline())
        assert answer["ok"], answer
        return answer["decision"]

    def erase(self):
        """A person at the phone erases everything."""
        self._type("erase all yes yes")
        self._expect("flash accepted erased", ANSWER_LIMIT)

    def _type(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def _expect(self, text, limit):
        """The next line with this text, which starts a line of JSON or stands in a line of the log."""
        lines = []
        while True:
            try:
                line = self.heard.get(timeout=limit)
            except queue.Empty:
                raise AssertionError(f"{text!r} was not said in {limit} s, but:\n" + "\n".join(lines)) from None
            if line is None:
                said = "\n".join(lines)
                raise AssertionError(f"the phone ended with status {self.process.wait()}:\n{said}")
            if line.startswith(text) or (line.startswith("[") and text in line):
                return line
            lines.append(line)

    def _power_off(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process.stdin.close()
            self.process = None

    def close(self):
        self._power_off()
        super().close()


def _listen(stream, heard):
    with stream:
        for line in stream:
            heard.put(line.decode(errors="replace").rstrip("\n"))
    heard.put(None)


def sections(flash):
    """{section: bytes} of the bytes of a flash region. None where the store cannot be read."""
    region = Region(len(flash))
    region.content[:] = flash
    try:
        found = Store(region, host.crypto()).load()
    except TrustLost:
        return None
    if found is None:
        return {}
    return {name: bytes(found.read(name)) for name in SECTIONS if found.length(name) is not None}


def unpack_software(folder):
    """The phone's software as the image has it, in `folder`."""
    return unpack(folder, ROOT)
