# SPDX-License-Identifier: MIT
"""A phone as a process that serves other programs on a real socket: CPython's, or MicroPython's for arm64."""

import contextlib
import json
import shutil
import subprocess
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
MAC = "00270DC01C92"
KINDS = ("cpython", "micropython")
FLASH = 1 << 20


class ServingPhone:
    """A phone of `kind` in a folder of its own (short, as a socket's path must be). Ends with close()."""

    def __init__(self, kind, settings):
        self.kind = kind
        self.folder = Path(tempfile.mkdtemp(prefix="phonetrust-"))
        self.socket = str(self.folder / "trust.sock")
        self.files = self.folder / "files"
        self.files.mkdir()
        (self.folder / "phone.json").write_text(json.dumps({"mac": MAC, "model": "8861", **settings}))
        self._output = []
        self._news = threading.Condition()
        self.process = None

    def command(self):
        """What is run."""
        if self.kind == "cpython":
            program = [ROOT / ".venv/bin/phonetrust", "phone", "--serve", "--socket", self.socket]
            return [*program, "--settings", self.folder / "phone.json", "--state", self.folder]
        (self.folder / "mac").write_text(MAC)
        store = self.folder / "store"
        if not store.exists():
            store.write_bytes(bytes(FLASH))
        micropython = [ROOT / "host_tools/setup/micropython", "aarch64", "-X", "heapsize=8M"]
        return [*micropython, ROOT / "boards/phone.py", self.folder]

    def start(self):
        """Start it and wait until it serves."""
        self._output = []
        self.process = subprocess.Popen(
            list(map(str, self.command())),
            cwd=ROOT,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "MICROPYPATH": str(ROOT), "LANG": "C.UTF-8"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            bufsize=1,
            errors="replace",
        )
        threading.Thread(target=self._read, daemon=True).start()
        self.expect("ready; type help", 60)
        return self

    def _read(self):
        for line in self.process.stdout:
            with self._news:
                self._output.append(line)
                self._news.notify_all()
        with self._news:
            self._output.append(None)
            self._news.notify_all()

    def output(self):
        """All lines that it printed."""
        with self._news:
            return "".join(line for line in self._output if line)

    def expect(self, text, timeout=30, since=0):
        """Wait for a line with `text`, after the first `since` lines."""
        deadline = time.monotonic() + timeout
        with self._news:
            while True:
                if any(line and text in line for line in self._output[since:]):
                    return
                assert None not in self._output, f"the phone ended:\n{''.join(filter(None, self._output))}"
                assert self._news.wait(max(0, deadline - time.monotonic())), (
                    f"no '{text}' within {timeout} s:\n{''.join(filter(None, self._output))}"
                )

    def type(self, line, answer):
        """Type at its console and wait for `answer`."""
        since = len(self._output)
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        self.expect(answer, since=since)

    def restart(self):
        """Let it fetch lists and configuration again."""
        self.type("restart", " state ")

    def stop(self):
        """Kill it, as a crash would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process.stdin.close()
            self.process.stdout.close()
            self.process = None

    def close(self):
        """End it and remove its folder."""
        with contextlib.suppress(OSError):
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
