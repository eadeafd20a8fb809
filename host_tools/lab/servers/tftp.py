# SPDX-License-Identifier: MIT
"""A node's TFTP server: tftpy, fed from the cluster's current generation, read-only.

tftpy negotiates blksize and tsize and drops other options such as windowsize [seen in its source]; a file that does not
exist is answered with ERROR 1. Two of its habits need care: an exception of an unexpected type ends its loop, so the
loop is started again on the same port; and it closes files with flock(), which only real files have, unless it is told not to.
"""

import contextlib
import io
import logging
import shutil
import socket
import tempfile
import threading

import tftpy

from host_tools.lab.errors import LabError

log = logging.getLogger(__name__)
for name in ("tftpy", "tftpy.TftpServer", "tftpy.TftpStates", "tftpy.TftpContext"):
    logging.getLogger(name).setLevel(logging.CRITICAL)  # a missing file is not an error here: it becomes an event


class TftpServer:
    """TFTP on (`address`, `port`), port 0 = a free one; `find(name)` gives a published file, its bytes or its path, or None.
    `on_request(name, found, client)` is called for each request, with what was found."""

    def __init__(self, address, port, find, on_request):
        self._find = find
        self._on_request = on_request
        self._address = address
        self._root = tempfile.mkdtemp(prefix="phonetrust-lab-")  # tftpy looks here first; the folder stays empty
        self._stopping = False
        self._failure = None
        self._server = tftpy.TftpServer(self._root, dyn_file_func=self._open, upload_open=self._refuse_upload)
        self._thread = threading.Thread(target=self._run, args=(port,), daemon=True, name=f"tftp {address}:{port}")
        self._thread.start()
        while not self._server.is_running.wait(0.05):
            if not self._thread.is_alive():
                shutil.rmtree(self._root, ignore_errors=True)
                raise LabError(f"TFTP cannot listen on {address} port {port}: {self._failure}")
        self.port = self._server.listenport

    def close(self):
        """Stop, and end transfers in progress; returns when the port is free again."""
        self._stopping = True
        self._server.stop(now=True)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wake:
            wake.sendto(b"\0\5\0\0\0", (self._address, self.port))  # ends the wait in tftpy's select
        self._thread.join(10)
        shutil.rmtree(self._root, ignore_errors=True)

    def _run(self, port):
        while not self._stopping:
            try:
                self._server.listen(self._address, port, timeout=1, retries=5)  # pyright: ignore[reportArgumentType]
            except Exception as error:  # tftpy lets a bad datagram's exception out of its loop
                self._failure = error
                if not self._server.is_running.is_set():
                    return  # it does not listen yet: the caller reports it
                log.debug("TFTP server on port %s starts again after: %r", port, error)
                port = self._server.listenport
                if self._server.sock:
                    self._server.sock.close()
                sessions = self._server.sessions
                for key in [key for key, session in sessions.items() if session.fileobj is None]:
                    sessions.pop(key).sock.close()  # the session that the datagram began; the others go on

    def _open(self, name, raddress=None, rport=None):
        session = self._server.sessions.get(f"{raddress}:{rport}")
        if session is not None:
            session.flock = False
            # tftpy answers from any address of this machine; phones take answers only from the address that they asked.
            with contextlib.suppress(OSError):  # bound already: the request came twice
                session.sock.bind((self._address, 0))
        found = self._find(name)
        self._on_request(name, found, f"{raddress}:{rport}")
        try:
            return found if found is None else io.BytesIO(found) if isinstance(found, bytes) else open(found, "rb")
        except OSError:
            return None  # it was removed between the look-up and now

    def _refuse_upload(self, path, context):
        self._on_request(path, None, f"{context.host}:{context.port}")
        return None
