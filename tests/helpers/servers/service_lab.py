# SPDX-License-Identifier: MIT
"""A lab cluster with a phone that serves other programs."""

import contextlib
import io
import socket
import threading
import time

from host_tools.client import TrustClient, Unsupported
from host_tools.lab.model.cluster import Cluster
from host_tools.lab.servers.tftp import TftpServer
from host_tools.lab.writers import files
from tests.helpers.lab.key_pool import PooledKeys
from tests.helpers.servers.service_phone import MAC, ServingPhone


class SlowFile(io.FileIO):
    """A file whose blocks are read slowly until `hurry` is set: a tenth of a second each."""

    def __init__(self, path, hurry):
        super().__init__(path)
        self._hurry = hurry

    def read(self, size=-1):
        self._hurry.wait(0.1)
        return super().read(size)


class SlowTftpServer(TftpServer):
    """A TFTP server that sends the files in `slow` ({name: threading.Event}) slowly, until their event is set."""

    def __init__(self, *arguments):
        self.slow = {}
        super().__init__(*arguments)

    def _open(self, name, raddress=None, rport=None):
        file = super()._open(name, raddress, rport)
        if file is None or name not in self.slow:
            return file
        with file:
            return SlowFile(file.name, self.slow[name])


class Lab:
    """A cluster that serves, a TFTP server with more files in front of its own, and phones of one kind. settings: theirs."""

    def __init__(self, path, kind, **settings):
        self.kind = kind
        self.cluster = Cluster.create(path / "cluster", key_maker=PooledKeys())
        self.cluster.add_phone(MAC)
        self.serving = self.cluster.serve()
        self.more = path / "more"
        self.more.mkdir()
        self.asked = []
        self.tftp = SlowTftpServer("127.0.0.1", 0, self._find, self._on_request)
        self.phone = ServingPhone(kind, {"tftp": [f"127.0.0.1:{self.tftp.port}"], "tftp_timeout": 300, **settings})
        self.phone.start()

    def _find(self, name):
        path = self.more / name
        return path if path.is_file() else self.cluster.handed_out(name)

    def _on_request(self, name, found, client):
        self.asked.append(name)

    def publish(self, name, body, signer=None, inside=None):
        """Put a file beside the cluster's, signed as `inside` (default: its name) by the TFTP key; .sgn only."""
        data = files.signed_file(inside or name, body, signer or self.cluster.identity("tftp"), int(time.time()))
        path = self.more / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def publish_slowly(self, name):
        """Put a file there that takes minutes to arrive, longer than a client waits for an answer; faster once the Event
        that this returns is set."""
        self.publish(name, bytes(4_000_000))
        self.tftp.slow[name] = threading.Event()
        return self.tftp.slow[name]

    def client(self, timeout=60):
        return TrustClient(self.phone.socket, timeout)

    def close(self):
        self.phone.close()
        self.tftp.close()
        self.serving.close()


def works(lab):
    """The phone answers, as soon as it has seen the end of connections that were closed."""
    with connected(lab) as agent:
        return agent.status()["state"] == "trusted"


def connected(lab):
    """A client, as soon as the service has seen the end of connections that were closed."""
    found = []

    def connects():
        with contextlib.suppress(Unsupported):
            found.append(lab.client())
        return found

    wait_until(connects)
    return found[0]


def wait_until(true, timeout=60):
    """Wait until a condition is true."""
    deadline = time.monotonic() + timeout
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def raw(lab):
    """A raw connection, after the greeting; made as soon as the service has seen the end of closed connections."""
    found = []

    def greeted():
        stream = socket.socket(socket.AF_UNIX)
        stream.settimeout(30)
        stream.connect(lab.phone.socket)
        if b'"protocol": 1' in stream.recv(4096):
            found.append(stream)
        else:
            stream.close()
        return found

    wait_until(greeted)
    return found[0]
