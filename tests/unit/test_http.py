# SPDX-License-Identifier: MIT
"""The HTTP client against scripted servers on the fake network."""

import gc

from agent.fetch.errors import BadName, BadTransfer, NoServer, NotFound, SinkFailed, Stalled, TooLarge
from agent.fetch.http import BUFFER, HEAD_LIMIT, quoted
from agent.flash.buffers import BufferSink
from tests.helpers.agent.both import MICROPYTHON, raises
from tests.helpers.agent.http_world import CUT, Fetch, chunked, refused, response


def test_what_is_asked():
    fetch = Fetch([response()])
    assert fetch.body() == b"content"
    lines = fetch.request.split(b"\r\n")
    assert lines[0] == b"GET /a.xml HTTP/1.1" and b"Host: 192.0.2.1:6970" in lines and b"Connection: close" in lines
    assert fetch.request.endswith(b"\r\n\r\n") and fetch.request.count(b"\r\n\r\n") == 1


def test_names_are_quoted():
    assert quoted("New_Zealand/g3-tones.xml.sgn") == b"New_Zealand/g3-tones.xml.sgn"
    assert quoted("a b?c#%\u00e9") == b"a%20b%3Fc%23%25%C3%A9"
    fetch = Fetch([response()])
    for name in ("", "a\r\nX: y", "a\0", "x" * 256):
        assert raises(BadName, fetch.run, name).reason == "bad-name"
    assert fetch.request == b"", "nothing was sent"


def test_in_pieces_of_any_size():
    data = bytes([number & 0xFF for number in range(3 * BUFFER + 7)])
    for make in (response(data), chunked(data[:1], data[1:5000], data[5000:])):
        for size in (1, 7, BUFFER - 1, BUFFER, 2 * BUFFER):
            steps = [make[at : at + size] for at in range(0, len(make), size)]
            assert Fetch(steps).body() == data


def test_no_length_ends_with_the_connection():
    assert Fetch([response(b"content", length=False), b""]).body() == b"content"
    assert Fetch([b"HTTP/1.0 200 OK\r\n\r\n", b"cont", b"ent", b""]).body() == b"content"
    assert Fetch([b"HTTP/1.0 200 OK\n\n", b""]).body() == b"", "bare line feeds are taken"


def test_empty_files():
    assert Fetch([response(b"")]).body() == b"" and Fetch([chunked()]).body() == b""


def test_fields_are_read_whatever_their_case_and_blanks():
    for field in (b"CONTENT-LENGTH:7", b"content-length:   7  ", b"Content-Length:\t7"):
        assert Fetch([response(fields=[field], length=False)]).body() == b"content"
    assert Fetch([response(fields=[b"Content-Length: 7"])]).body() == b"content", "twice the same"
    assert Fetch([chunked(b"abc", trailer=b"X: y\r\n\r\n")]).body() == b"abc"
    assert Fetch([chunked(b"abc").replace(b"3\r\n", b"0003;a=b\r\n")]).body() == b"abc"
    assert Fetch([chunked(b"abc").replace(b"chunked", b"Chunked")]).body() == b"abc"
    assert Fetch([response(fields=[b"Content-Encoding: identity"])]).body() == b"content"


def test_a_head_of_thousands_of_fields_takes_no_memory():
    """On the phone they would take half a megabyte (gc.mem_alloc is MicroPython's alone)."""
    fields, number = [], 0
    while sum([len(field) + 2 for field in fields]) < HEAD_LIMIT - 100:
        fields += [b"%x:" % (number + each) for each in range(50)]
        number += 50
    fetch = Fetch([response(fields=fields)])
    fetch.sink = Measuring(bytearray(100))
    del fields
    before = in_use()
    assert fetch.run() == 7
    assert number > 1000 and fetch.sink.in_use - before < 30000, (before, fetch.sink.in_use)


class Measuring(BufferSink):
    """Looks at the heap when the head has been read."""

    def begin(self, size):
        self.in_use = in_use()
        BufferSink.begin(self, size)


def in_use():
    """Bytes of MicroPython's heap; 0 on CPython."""
    gc.collect()
    return gc.mem_alloc() if MICROPYTHON else 0


def test_interim_responses_are_passed_over():
    interim = b"HTTP/1.1 100 Continue\r\nX: y\r\n\r\n"
    assert Fetch([interim * 3 + response()]).body() == b"content"
    refused(BadTransfer, "1xx", interim * 4 + response())


def test_not_there():
    for status in (b"404 Not Found", b"410 Gone", b"404"):
        found = refused(NotFound, status[:3].decode(), response(b"sorry", status=status))
        assert found.reason == "not-found"


def test_other_statuses():
    for status in (
        b"301 Moved",
        b"302 Found",
        b"204 No Content",
        b"206 Partial",
        b"403 Forbidden",
        b"500 Error",
        b"999 x",
    ):
        refused(BadTransfer, "HTTP status " + status[:3].decode(), response(status=status, fields=[b"Location: /b"]))


def test_too_large():
    refused(TooLarge, "8 bytes announced", response(b"12345678"), limit=7)
    fetch = Fetch([response(b"1234567")], limit=7)
    assert fetch.body() == b"1234567"
    for steps in ([response(b"12345678", length=False), b""], [chunked(b"1234", b"5678")]):
        fetch = Fetch(steps, limit=7)
        assert "more than 7" in str(raises(TooLarge, fetch.run))
        assert len(fetch.sink.data) <= 7, "no byte over the limit reaches the sink"


def test_what_is_no_http():
    for answer in (
        b"\x16\x03\x01\x00\x02",
        b"SSH-2.0-x\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1\r\n\r\n",
        b"\r\n\r\n",
    ):
        refused(BadTransfer, "", answer, b"")


def test_broken_heads():
    refused(BadTransfer, "not a number", response(fields=[b"Content-Length: 8"]))
    for length in (b"-1", b"+7", b"7,7", b"0x7", b"", b"7 7", b"9" * 13):
        refused(BadTransfer, "not a number", response(fields=[b"Content-Length: " + length], length=False))
    for fields in ([b"Transfer-Encoding: gzip, chunked"], [b"Transfer-Encoding: chunked", b"Content-Length: 7"]):
        refused(BadTransfer, "transfer coding", response(fields=fields, length=False))
    refused(BadTransfer, "encoding", response(fields=[b"Content-Encoding: gzip"]))
    for field in (b"no colon", b": x", b"a : b", b" folded: x"):
        refused(BadTransfer, "header field", response(fields=[field]))
    refused(BadTransfer, "a head of more", b"HTTP/1.1 200 OK\r\nX: " + b"y" * HEAD_LIMIT)
    refused(BadTransfer, "a head of more", b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * HEAD_LIMIT)


def test_broken_chunks():
    for body in (b"g\r\n", b"\r\n", b"-1\r\n", b"123456789\r\n", b"3\r\nabcd\r\n0\r\n\r\n"):
        refused(BadTransfer, "chunk", response(body, [b"Transfer-Encoding: chunked"], length=False), b"")
    refused(BadTransfer, "ended", response(b"3\r\nab", [b"Transfer-Encoding: chunked"], length=False), b"")
    refused(BadTransfer, "ended", response(b"3\r\nabc\r\n", [b"Transfer-Encoding: chunked"], length=False), b"")


def test_endings_in_the_middle():
    refused(BadTransfer, "closed without an answer", b"")
    refused(BadTransfer, "inside the head", b"HTTP/1.1 200", b"")
    refused(BadTransfer, "2 bytes too early", response(b"content")[:-2], b"")
    refused(BadTransfer, "connection reset", response(b"content")[:-2], None)
    assert refused(NoServer, "connection reset", None).reason == "no-server"


def test_a_cut_connection_is_no_end_of_a_file():
    """Where only the end of the connection marks the end of the file, an attacker who cuts it could shorten the file."""
    refused(BadTransfer, "was cut", response(b"content", length=False), CUT)
    refused(BadTransfer, "7 bytes too early", response(b"content")[:-7], CUT)
    assert Fetch([response(b"content"), CUT]).body() == b"content", "its length says that it is whole"
    assert Fetch([chunked(b"content"), CUT]).body() == b"content"


def test_silence_and_dripping():
    refused(NoServer, "no answer in time")
    refused(Stalled, "no answer in time", response(b"content")[:-2])
    content = response(bytes(100))
    drips = [(index * 1000, content[index : index + 1]) for index in range(len(content))]
    fetch = Fetch(drips, deadline=20500)
    found = raises(Stalled, fetch.run)
    assert "no answer in time" in str(found) and found.reason == "bad-transfer"
    assert fetch.clock.monotonic() == 1000 + 20500, "one deadline for the whole file"


def test_the_head_has_a_deadline_of_its_own():
    fetch = Fetch([(3001, response())], head_deadline=3000)
    assert "no answer in time" in str(raises(NoServer, fetch.run)) and fetch.clock.monotonic() == 1000 + 3000
    fetch = Fetch([b"HTTP/1.1 200 OK\r\n", (3001, b"\r\n")], head_deadline=3000)
    raises(Stalled, fetch.run)
    assert fetch.clock.monotonic() == 1000 + 3000
    late = [response()[:-7], (9000, b"content")]
    assert Fetch(late, head_deadline=3000, deadline=9001).body() == b"content"
    fetch = Fetch(late, head_deadline=30000, deadline=5000)
    raises(Stalled, fetch.run)
    assert fetch.clock.monotonic() == 1000 + 5000, "the file's deadline holds for its head too"


def test_the_time_is_up_before_the_request():
    fetch = Fetch([response()], deadline=0)
    assert "the time is up" in str(raises(NoServer, fetch.run))


def test_what_the_sink_raises_comes_through():
    class Sink:
        def begin(self, size):
            if size == 1:
                raise OSError(28)

        def write(self, block):
            raise ValueError("enough")

    for body, error in ((b"1", OSError), (b"12", ValueError)):
        found = raises(SinkFailed, Fetch([response(body)], sink=Sink()).run)
        assert isinstance(found.error, error)
