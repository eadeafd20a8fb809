# SPDX-License-Identifier: MIT
"""An emulated board with the plugs of a real one: a serial line and a power switch. It stands in for a real board in a rack.

python -m host_tools.hil.rack BOARD CARD prints one line of JSON, {"serial": "/dev/pts/4", "power": "http://..."}, and runs
until SIGTERM. labgrid's exporter exports the line as a RawSerialPort, the switch as a NetworkPowerPort of model `rest`.
"""

import contextlib
import http.server
import json
import os
import pathlib
import pty
import select
import signal
import socket
import sys
import tempfile
import threading
import tty

from host_tools.board.emulator import Emulator
from host_tools.image import board as boards
from host_tools.image.errors import ImageError


class RackBoard:
    """The board in its slot: `serial` is the device of its line, switch(on) switches its power."""

    def __init__(self, board, card, folder):
        self._emulator = Emulator(board, pathlib.Path(card), folder)
        self._line, self._slave = pty.openpty()  # the slave stays open, so that the line outlives its users
        tty.setraw(self._line)
        tty.setraw(self._slave)
        self.serial = os.ttyname(self._slave)
        self._console = None
        self._lock = threading.Lock()

    def is_on(self):
        return self._console is not None

    def switch(self, on):
        """Power on or off. ImageError where the board does not start."""
        with self._lock:
            if on and not self.is_on():
                self._emulator.start()
                console = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                console.connect(str(self._emulator.console))
                self._console = console
                threading.Thread(target=self._carry, args=(console,), daemon=True).start()
            elif not on and self.is_on():
                self._emulator.stop()
                self._console = None

    def _carry(self, console):
        """Bytes between the board and its line, until the board is off."""
        with console, contextlib.suppress(OSError):
            while True:
                readable, _, _ = select.select([console, self._line], [], [], 0.2)
                if self._console is not console:
                    return
                if console in readable:
                    data = console.recv(4096)
                    if not data:
                        return
                    os.write(self._line, data)
                if self._line in readable:
                    console.sendall(os.read(self._line, 4096))


def power_switch(board):
    """An HTTP server on loopback: GET /power/N says "0" or "1", PUT of one of them switches."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self._answer(200, b"1" if board.is_on() else b"0")

        def do_PUT(self):
            wanted = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if wanted not in (b"0", b"1"):
                self._answer(400, b"0 or 1\n")
                return
            try:
                board.switch(wanted == b"1")
            except (ImageError, OSError) as error:
                self._answer(500, f"{error}\n".encode())
                return
            self._answer(200, wanted)

        def _answer(self, status, body):
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format, *args):
            """Write no log."""

    return http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)


def main(name, card):
    """Serve until SIGTERM or SIGINT."""
    with tempfile.TemporaryDirectory(prefix="phonetrust-rack-") as folder:
        board = RackBoard(boards.load(name), card, pathlib.Path(folder))
        server = power_switch(board)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
        power = f"http://127.0.0.1:{server.server_address[1]}/power/{{index}}"
        print(json.dumps({"serial": board.serial, "power": power}), flush=True)
        server.serve_forever(0.1)
        board.switch(False)


if __name__ == "__main__":
    main(*sys.argv[1:])
