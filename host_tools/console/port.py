# SPDX-License-Identifier: MIT
"""Where a console can be: a serial port, a network port (raw or RFC 2217), or an emulated board's socket.

A port has read() -> bytes, b"" after a short silence; write(data); close(). OSError when it is gone.
"""

import pathlib
import select
import socket
import stat

from host_tools.image import board as boards
from host_tools.image.errors import ImageError

SILENCE = 0.05  # seconds
RUNNING = boards.TOP / "build/board"


class SocketPort:
    """A connected stream socket as a port."""

    def __init__(self, connected):
        self._socket = connected
        self._socket.setblocking(False)

    def read(self):
        if not select.select([self._socket], [], [], SILENCE)[0]:
            return b""
        data = self._socket.recv(4096)
        if not data:
            raise OSError("the other side closed the connection")
        return data

    def write(self, data):
        while data:
            select.select([], [self._socket], [], 5)
            data = data[self._socket.send(data) :]

    def close(self):
        self._socket.close()


class SerialPort:
    """A pyserial port; pyserial speaks RFC 2217, too."""

    def __init__(self, opened):
        self._serial = opened

    def read(self):
        data = self._serial.read(1)
        return data + self._serial.read(self._serial.in_waiting or 0) if data else b""

    def write(self, data):
        self._serial.write(data)
        self._serial.flush()

    def close(self):
        self._serial.close()


def check(target):
    """ImageError where `target` is of no known kind. open_port() finds out whether it is there."""
    kind, separator, rest = target.partition("://")
    if separator:
        host, _, port = rest.rpartition(":")
        if kind not in ("socket", "rfc2217") or not host or not port.isdigit():
            raise ImageError(f"{target}: must be socket://HOST:PORT or rfc2217://HOST:PORT")
    elif not target.startswith("/") and target not in boards.names():
        raise ImageError(f"{target}: is no device (/dev/ttyUSB0), no URL and no board ({', '.join(boards.names())})")


def open_port(target, speed=115200):
    """Open a console: "/dev/ttyUSB0", "socket://host:port", "rfc2217://host:port", a socket's path or a board's name.

    OSError where it is not there now.
    """
    if target.startswith("socket://"):
        host, _, port = target.removeprefix("socket://").rpartition(":")
        return SocketPort(socket.create_connection((host.strip("[]"), int(port)), timeout=5))
    path = pathlib.Path(target) if target.startswith("/") else RUNNING / target / "console"
    if "://" not in target and _is_socket(path):
        connecting = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connecting.connect(str(path))
        except OSError:
            connecting.close()
            raise
        return SocketPort(connecting)
    if not target.startswith("/") and "://" not in target:
        raise FileNotFoundError(2, f"the board is not running; `phonetrust board run {target}` starts it", target)
    import serial  # labgrid's; needed for real ports only

    if target.startswith("rfc2217://"):
        return SerialPort(serial.serial_for_url(f"{target}?ign_set_control", baudrate=speed, timeout=SILENCE))
    return SerialPort(serial.Serial(target, speed, timeout=SILENCE, write_timeout=5))


def _is_socket(path):
    try:
        return stat.S_ISSOCK(path.stat().st_mode)
    except OSError:
        return False
