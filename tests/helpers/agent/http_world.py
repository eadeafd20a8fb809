# SPDX-License-Identifier: MIT
"""A scripted HTTP server on the fake network, and one request to it."""

from agent.fetch.http import get
from agent.flash.buffers import BufferSink
from hal.fake import FakeClock, FakeNet
from tests.helpers.agent.both import raises, run

CUT = object()
HOST, PORT = "192.0.2.1", 6970
WHERE = "192.0.2.1:6970"


class Fetch:
    """One request: the server plays `steps`, (delay, bytes) or bytes; b"" is the end, CUT an end without a goodbye,
    None a reset. request: the bytes that the server got. deadline, head_deadline: ms from now."""

    def __init__(self, steps, limit=100000, deadline=60000, head_deadline=None, timeout=3000, sink=None):
        self.clock = FakeClock()
        self.request = b""
        self.steps = steps
        net = FakeNet(self.clock)
        net.serve_tcp(HOST, PORT, self)
        self.stream = run(net.tcp(HOST, PORT, self.clock.monotonic() + timeout))
        self.sink = sink or BufferSink(bytearray(limit))
        self.limit = limit
        self.deadline = self.clock.monotonic() + deadline
        self.head_deadline = None if head_deadline is None else self.clock.monotonic() + head_deadline

    def __call__(self, peer, data):
        if not data:
            return
        self.request += data
        for step in self.steps:
            delay, content = step if isinstance(step, tuple) else (0, step)
            if content is None:
                peer.reset(delay)
            elif content is CUT:
                peer.end(delay, orderly=False)
            elif content:
                peer.say(content, delay)
            else:
                peer.end(delay)

    def run(self, name="a.xml"):
        return run(get(self.stream, self.clock, WHERE, name, self.sink, self.limit, self.deadline, self.head_deadline))

    def body(self):
        size = self.run()
        assert size == len(self.sink.data)
        return bytes(self.sink.data)


def response(body=b"content", fields=(), status=b"200 OK", length=True):
    head = [b"HTTP/1.1 " + status] + list(fields)
    if length:
        head.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def chunked(*chunks, trailer=b"\r\n", fields=()):
    body = b"".join([b"%x\r\n" % len(chunk) + chunk + b"\r\n" for chunk in chunks])
    return response(body + b"0\r\n" + trailer, [b"Transfer-Encoding: chunked"] + list(fields), length=False)


def refused(error, words, *steps, **more):
    found = raises(error, Fetch(list(steps), **more).run)
    assert words in str(found) and "a.xml from " + WHERE in str(found), str(found)
    return found
