# SPDX-License-Identifier: MIT
"""A private network namespace without a link to the world or to this machine's loopback."""

import ctypes
import fcntl
import os
import struct
import subprocess

CLONE_NEWNET = 0x40000000
TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI = 0x2, 0x1000
_HERE = "/proc/thread-self/ns/net"
_libc = ctypes.CDLL(None, use_errno=True)


class LinkError(Exception):
    """This machine offers no private network; the text says why."""


class Namespace:
    """A namespace with a TAP device `device` that has the IPv4 `address` (of a /24). tap: a file; reading gives the packets that
    the kernel sends there, writing hands packets to the kernel.

    In a `with` block the calling thread is in the namespace, so sockets, threads and programs that are begun there stay
    there after the block. close() gives the namespace up; it ends with the last socket or program in it. Raises LinkError."""

    def __init__(self, device, address):
        self.address = address
        self._outside = []
        home = os.open(_HERE, os.O_RDONLY)
        try:
            if _libc.unshare(CLONE_NEWNET):
                raise LinkError(f"no network namespace: {os.strerror(ctypes.get_errno())}")
            self._own = os.open(_HERE, os.O_RDONLY)
            try:
                self.tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
                fcntl.ioctl(self.tap, TUNSETIFF, struct.pack("16sH14x", device.encode(), IFF_TAP | IFF_NO_PI))
                _ip("link", "set", "dev", "lo", "up")
                # Without IPv6 the kernel sends nothing by itself, so the same packets meet the same faults in each run.
                _ip("link", "set", "dev", device, "addrgenmode", "none")
                _ip("link", "set", "dev", device, "multicast", "off", "up")
                _ip("address", "add", f"{address}/24", "dev", device)
            except OSError as error:
                raise LinkError(f"no TAP device: {error}") from None
        finally:
            _enter(home)
            os.close(home)

    def __enter__(self):
        self._outside.append(os.open(_HERE, os.O_RDONLY))
        _enter(self._own)
        return self

    def __exit__(self, *_):
        outside = self._outside.pop()
        _enter(outside)
        os.close(outside)

    def close(self):
        """Give the namespace and its device up."""
        os.close(self.tap)
        os.close(self._own)


def _enter(namespace):
    if _libc.setns(namespace, CLONE_NEWNET):
        raise LinkError(f"no way into a network namespace: {os.strerror(ctypes.get_errno())}")


def _ip(*arguments):
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    done = subprocess.run(
        ["ip", *arguments],
        env={**os.environ, "PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise LinkError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")
