# SPDX-License-Identifier: MIT
"""Headless Chromium for tests: open a page, run a line of JavaScript in it, take a picture, and collect its errors.

It is driven through two pipes (--remote-debugging-pipe): messages are JSON with a NUL byte behind each."""

import base64
import json
import os
import shutil
import signal
import subprocess
import time

_PATIENCE = 60.0  # seconds for any answer


class Browser:
    """A context manager. errors: texts of errors on the page: console, exceptions, blocked requests."""

    def __init__(self, profile):
        self._profile = profile
        self._number = 0
        self._session = None
        self._loaded = False
        self._buffer = b""
        self.errors = []

    @staticmethod
    def program():
        """Path of Chromium, None where it is not installed (host_tools/setup/apt.sh test)."""
        return shutil.which("chromium")

    def __enter__(self):
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()
        os.set_blocking(self._in, False)
        options = [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            "--disable-background-networking", "--remote-debugging-pipe", "--window-size=1100,1000", "--hide-scrollbars",
            f"--user-data-dir={self._profile}", "about:blank",
        ]  # fmt: skip
        # Chromium reads its commands from descriptor 3 and answers on 4.
        command = f'exec "$0" "$@" 3<&{theirs_in} 4>&{theirs_out}'
        self._process = subprocess.Popen(
            ["bash", "-c", command, self.program(), *options],
            pass_fds=(theirs_in, theirs_out),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._ask(f"{domain}.enable")
        return self

    def __exit__(self, *_):
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._in)
        os.close(self._out)

    def open(self, path):
        """Open a file and wait until it is loaded."""
        self._loaded = False
        self._ask("Page.navigate", url=f"file://{path}")
        ends = time.monotonic() + _PATIENCE
        while not self._loaded:
            self._read(ends)

    def run(self, script):
        """The value of a line of JavaScript, run in the page as if typed at its console."""
        answer = self._ask("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def picture(self, path):
        """Write a picture (PNG) of the page."""
        path.write_bytes(base64.b64decode(self._ask("Page.captureScreenshot", captureBeyondViewport=True)["data"]))

    def _ask(self, method, **parameters):
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        ends = time.monotonic() + _PATIENCE
        while True:
            found = self._read(ends)
            if found.get("id") == self._number:
                assert "error" not in found, found
                return found["result"]

    def _read(self, ends):
        while b"\0" not in self._buffer:
            assert time.monotonic() < ends, "Chromium does not answer"
            assert self._process.poll() is None, "Chromium has ended"
            try:
                self._buffer += os.read(self._in, 1 << 16)
            except BlockingIOError:
                time.sleep(0.01)  # between looks at a pipe, until the deadline
        text, _, self._buffer = self._buffer.partition(b"\0")
        message = json.loads(text)
        self._note(message.get("method"), message.get("params", {}))
        return message

    def _note(self, method, found):
        if method == "Page.loadEventFired":
            self._loaded = True
        elif method == "Runtime.exceptionThrown":
            self.errors.append(str(found["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled":
            self.errors.append(str(found["args"]))
        elif method == "Log.entryAdded":
            self.errors.append(found["entry"]["text"])
        elif method == "Network.requestWillBeSent" and not found["request"]["url"].startswith(("file:", "data:")):
            self.errors.append(f"the page asks for {found['request']['url']}")
