# SPDX-License-Identifier: MIT
"""A small HTTP/1.1 client: it GETs one file over a connected stream, into a sink (RFC 9110, 9112).

The rules of one response, in the order in which its bytes meet them:
1. the head has at most HEAD_LIMIT bytes. Up to INTERIM_LIMIT - 1 responses of status 1xx before the real response are
   skipped;
2. the statuses 404 and 410 mean that the server has no such file. Every other status except 200 is a failure. The client
   follows no redirection, because a phone asks only the servers that it was told of (docs/spec/http.md, H7);
3. the body is chunked, or is as long as Content-Length says, or ends with the connection. A response that gives both a
   coding and a length, or two lengths that differ, is a failure, because it leaves open which one the server meant;
4. a body that ends with the connection must end in an orderly way (over TLS: close_notify). A connection that was cut may
   have delivered half a file;
5. the sink gets no byte over the limit, and no byte over the announced size;
6. the head must arrive before one deadline and the whole file before another, however slowly the bytes come.
"""

from agent.fetch.errors import BadName, BadTransfer, NoServer, NotFound, SinkFailed, Stalled, TooLarge
from agent.fetch.tftp.packet import name_fault, printable
from agent.servers.network import failure_text, is_timeout

HEAD_LIMIT = 8192  # bytes of the status line and the header fields; the trailers of a chunked body have the same limit
LINE_LIMIT = 1024  # bytes of the line that announces a chunk
INTERIM_LIMIT = 4  # how many heads are read before the client gives up on statuses 1xx
BUFFER = 4096  # bytes read at once
#: The fields that say where the body ends. Only these are kept, because thousands of fields fit into a head.
FRAMING = (b"content-length", b"transfer-encoding", b"content-encoding")

_PLAIN = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/@"
_HEX = b"0123456789abcdefABCDEF"
_LONGEST_NUMBER = 12  # digits of a length


class _Broken(Exception):
    """The response is not HTTP, or it breaks off. str() says how."""


class _TooSlow(Exception):
    """The deadline passed before the next bytes came."""


async def get(stream, clock, where, name, sink, limit, deadline, head_deadline=None):
    """Fetch `name` from the server at the other end of the stream; returns how many bytes the sink got.

    where: "192.0.2.1:6970", for the request and for errors. limit: bytes, inclusive. deadline: ms of the clock, for the
    whole file. head_deadline: ms of the clock, for the head of the answer, if that has to end earlier.
    Raises BadName, NotFound, TooLarge, BadTransfer and Stalled; NoServer if the server sent nothing; SinkFailed if the sink
    raised an error."""
    fault = name_fault(name)
    if fault:
        raise BadName(None, "'%s'" % printable(name.encode()), fault)
    reader = _Reader(stream, clock, deadline if head_deadline is None else min(deadline, head_deadline))
    request = b"GET /%s HTTP/1.1\r\nHost: %s\r\nUser-Agent: phonetrust\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    try:
        await stream.write(request % (quoted(name), where.encode()), reader.deadline)
        status, fields = await _head(reader)
        reader.deadline = deadline
        if status in (404, 410):
            raise NotFound(where, name, "HTTP status %d" % status)
        if status != 200:
            raise BadTransfer(where, name, "HTTP status %d" % status)
        size, chunked = _framing(fields)
        if size is not None and size > limit:
            raise TooLarge(where, name, "%d bytes announced, %d allowed" % (size, limit))
        body = _Body(sink, limit, where, name)
        body.begin(size)
        if chunked:
            await _chunks(reader, body)
        elif size is not None:
            await reader.copy(size, body)
        else:
            await reader.copy_all(body)
        return body.size
    except _Broken as error:
        raise BadTransfer(where, name, str(error))
    except _TooSlow:
        raise (Stalled if reader.heard else NoServer)(where, name, "too slow: the time is up")
    except OSError as error:
        # A server that never sent a byte is not there. A server that did has broken off the transfer.
        kind = Stalled if is_timeout(error) else BadTransfer
        raise (kind if reader.heard else NoServer)(where, name, failure_text(error))


def quoted(name):
    """The file's name as it stands in a request: bytes, percent-encoded if they are not plain (RFC 3986, 2.1)."""
    return b"".join([bytes((byte,)) if byte in _PLAIN else b"%%%02X" % byte for byte in name.encode()])


class _Body:
    """Hands blocks to the sink and counts them."""

    def __init__(self, sink, limit, where, name):
        self._sink = sink
        self._limit = limit
        self._error = (where, name, "more than %d bytes" % limit)
        self.size = 0

    def begin(self, size):
        try:
            self._sink.begin(size)
        except Exception as error:
            raise SinkFailed(error)

    def write(self, block):
        self.size += len(block)
        if self.size > self._limit:
            raise TooLarge(*self._error)
        try:
            self._sink.write(block)
        except Exception as error:
            raise SinkFailed(error)


class _Reader:
    """Reads a stream through one buffer: a line, a number of bytes, or all. heard: whether any byte came. deadline: ms of
    the clock, for the part that is being read now; may be set anew."""

    def __init__(self, stream, clock, deadline):
        self._stream = stream
        self._clock = clock
        self.deadline = deadline
        self._buffer = bytearray(BUFFER)
        self._view = memoryview(self._buffer)
        self._at = self._end = 0
        self.heard = False

    async def _fill(self):
        """Read more bytes if the buffer is empty. False at the end of the stream."""
        if self._at < self._end:
            return True
        if self._clock.monotonic() >= self.deadline:
            raise _TooSlow()
        self._at = self._end = 0
        self._end = await self._stream.read_into(self._view, self.deadline)
        self.heard = self.heard or self._end > 0
        return self._end > 0

    async def line(self, room, otherwise="a head of more than %d bytes" % HEAD_LIMIT):
        """The next line without its end. A line of more than `room` bytes, end included, raises _Broken with the words
        `otherwise`."""
        found = b""
        while True:
            if not await self._fill():
                raise _Broken("the connection ended inside the head" if self.heard else "closed without an answer")
            cut = self._buffer.find(b"\n", self._at, self._end)
            end = self._end if cut < 0 else cut + 1
            found += self._view[self._at : end]
            self._at = end
            if len(found) > room:
                raise _Broken(otherwise)
            if cut >= 0:
                found = found[:-1]
                return found[:-1] if found[-1:] == b"\r" else found

    async def copy(self, count, body):
        """Pass the next `count` bytes to the body."""
        while count:
            if not await self._fill():
                raise _Broken("the connection ended %d bytes too early" % count)
            taken = min(count, self._end - self._at)
            body.write(self._view[self._at : self._at + taken])
            self._at += taken
            count -= taken

    async def copy_all(self, body):
        """Pass all bytes to the body until the stream ends, which must happen in an orderly way."""
        while await self._fill():
            body.write(self._view[self._at : self._end])
            self._at = self._end
        if not self._stream.orderly:
            raise _Broken("the connection was cut, so the file may be incomplete")


async def _head(reader):
    """(status, fields) of the first response that is not 1xx. fields: a name of FRAMING -> the list of its values."""
    for _ in range(INTERIM_LIMIT):
        room = HEAD_LIMIT
        line = await reader.line(room)
        parts = line.split(None, 2)
        if len(parts) < 2 or not line.startswith(b"HTTP/1.") or len(parts[1]) != 3 or not _is_number(parts[1]):
            raise _Broken("the server does not speak HTTP")
        status = int(parts[1])
        fields = {}
        while True:
            room -= len(line) + 2
            line = await reader.line(room)
            if not line:
                break
            name, colon, value = line.partition(b":")
            if not colon or not name or name.strip() != name:  # folded lines, which begin with a blank, are refused too
                raise _Broken("a malformed header field")
            name = name.lower()
            if name in FRAMING:
                fields.setdefault(name, []).append(value.strip())
        if status >= 200:
            return status, fields
    raise _Broken("%d responses of status 1xx, and no other" % INTERIM_LIMIT)


def _framing(fields):
    """(size of the body or None, whether it is chunked)."""
    lengths = fields.get(b"content-length", [])
    codings = [value.lower() for value in fields.get(b"transfer-encoding", [])]
    if [value for value in fields.get(b"content-encoding", []) if value.lower() != b"identity"]:
        raise _Broken("the body has an encoding that was not asked for")
    if codings:
        if codings != [b"chunked"] or lengths:
            raise _Broken("the transfer coding is not chunked, or a length stands beside it")
        return None, True
    if not lengths:
        return None, False
    for value in lengths:
        if value != lengths[0] or not _is_number(value) or len(value) > _LONGEST_NUMBER:
            raise _Broken("Content-Length is not a number, or stands there twice with different values")
    return int(lengths[0]), False


async def _chunks(reader, body):
    """Pass a chunked body to `body` (RFC 9112, 7.1). Extensions of chunks and trailers are skipped."""
    while True:
        line = await reader.line(LINE_LIMIT, "a chunk whose size takes more than %d bytes" % LINE_LIMIT)
        digits = line.split(b";", 1)[0].strip()
        if not digits or len(digits) > 8 or [byte for byte in digits if byte not in _HEX]:
            raise _Broken("a chunk without its size")
        size = int(str(digits, "ascii"), 16)
        if size == 0:
            break
        await reader.copy(size, body)
        longer = "a chunk that is longer than it says"
        if await reader.line(2, longer):
            raise _Broken(longer)
    room = HEAD_LIMIT
    while True:
        line = await reader.line(room)
        if not line:
            return
        room -= len(line) + 2


def _is_number(digits):
    return len(digits) > 0 and not [byte for byte in digits if not 0x30 <= byte <= 0x39]
