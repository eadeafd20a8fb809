# SPDX-License-Identifier: MIT
"""An HTTP server of files for the fake network (hal/fake/net.py)."""


class WebServer:
    """files: name -> bytes. asked: the requested names, in order. status: of all answers, if given. silent: takes the
    request and does not answer. identity: what the phone showed, or None."""

    def __init__(self, files, status=None, silent=False):
        self.files = files
        self.status = status
        self.silent = silent
        self.asked = []
        self.connections = 0
        self.identity = None

    def __call__(self, peer, data):
        if not data:
            self.connections += 1
            return
        self.identity = peer.identity
        name = data.split(b" ", 2)[1].decode()[1:]
        self.asked.append(name)
        if self.silent:
            return
        body = self.files.get(name)
        status = self.status or (404 if body is None else 200)
        body = body or b"sorry"
        peer.say(b"HTTP/1.1 %d x\r\nContent-Length: %d\r\n\r\n" % (status, len(body)) + body)
        peer.end()


class FileServer:
    """A TFTP server of `files`, each smaller than a block; asked: their names."""

    def __init__(self, files):
        self.files = files
        self.asked = []

    def __call__(self, data, source, reply):
        if data[1] != 1:
            return
        name = data[2:].split(b"\0")[0].decode()
        self.asked.append(name)
        body = self.files.get(name)
        reply(b"\0\5\0\1no\0" if body is None else b"\0\3\0\1" + body, port=5000)
