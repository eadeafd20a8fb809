# SPDX-License-Identifier: MIT
"""A TLS connection over a scripted engine: deadlines, the budget of bytes, the judgement, and ends."""

from hal.fake import FakeClock
from hal.tls_stream import HANDSHAKE_BYTES, TURNS, TlsStream, is_numeric
from tests.helpers.agent.both import raises, run

EBADF, EACCES, EPIPE, EPROTO, ETIMEDOUT = 9, 13, 32, 71, 110


class Plain:
    """A TCP stream: `incoming` pieces, each after `step` ms; then the end, or silence."""

    def __init__(self, clock, incoming, step=0, ends=True):
        self.clock = clock
        self.incoming = list(incoming)
        self.step = step
        self.ends = ends
        self.sent = []
        self.closed = False

    async def read_into(self, buffer, deadline):
        self.clock.now += self.step
        if self.incoming and self.clock.now <= deadline:
            data = self.incoming.pop(0)
            buffer[: len(data)] = data
            return len(data)
        if self.ends and not self.incoming:
            return 0
        self.clock.move_to(deadline)
        raise OSError(ETIMEDOUT)

    async def write(self, data, deadline):
        self.sent.append(bytes(data))

    def write_now(self, data):
        self.sent.append(bytes(data))

    def close(self):
        self.closed = True


class Engine:
    """Each byte that comes is a command: "c" certificate shown, "o" handshake done, "e" end of TLS, "!" broken, capital
    letters plaintext. Everything else is swallowed."""

    awaited = "ServerHello"
    failure = None
    certificate = b"DER"

    def __init__(self):
        self.state = "handshake"
        self.stuck = False
        self.freed = False
        self._out = b"hello"
        self._plain = b""

    @property
    def wants_input(self):
        return self.state in ("handshake", "open") and not (self.stuck or self._out or self._plain)

    def output(self):
        found, self._out = self._out, b""
        return found

    def receive(self, data):
        for byte in bytes(data):
            if byte == ord("c"):
                self.state = "judge"
            elif byte == ord("o"):
                self.state = "open"
            elif byte == ord("e"):
                self.state = "ended"
            elif byte == ord("!"):
                self.state, self.failure, self._out = "failed", "tls-record", b"alert"
                raise OSError(EPROTO, "TLS: broken")
            elif 65 <= byte <= 90:
                self._plain += bytes([byte])

    def accept(self):
        self.state = "handshake"
        self._out = b"finished"

    def cut(self):
        if self.state != "ended":
            self.failure = "tls-cut"
            raise OSError(EPROTO, "TLS: cut")

    def read_into(self, buffer):
        count = min(len(buffer), len(self._plain))
        buffer[:count] = self._plain[:count]
        self._plain = self._plain[count:]
        return count

    def write(self, data):
        self._out = b"<" + bytes(data[:3]) + b">"
        return min(3, len(data))

    def shut(self):
        self._out = {"open": b"close_notify", "judge": b"bad_certificate"}.get(self.state, self._out)

    def free(self):
        self.freed = True


def make(incoming, **options):
    """(stream, plain, engine, clock)"""
    clock = FakeClock()
    plain, engine = Plain(clock, incoming, **options), Engine()
    return TlsStream(plain, engine, clock), plain, engine, clock


def answering(verdict, asked=None):
    async def accept(certificate):
        if asked is not None:
            asked.append(certificate)
        return verdict

    return accept


def opened(incoming, **options):
    """A stream after its handshake."""
    made = make([b"co"] + incoming, **options)
    made[0]._connection.accept = lambda: setattr(made[2], "state", "open")
    run(made[0].shake_hands(5000, answering(True)))
    return made


def refused(number, coroutine):
    error = raises(OSError, run, coroutine)
    assert error.args[0] == number, error
    return error


def test_the_certificate_is_judged_and_then_the_handshake_ends():
    stream, plain, engine, _ = make([b"..c", b"o"])
    asked = []
    run(stream.shake_hands(5000, answering(True, asked)))
    assert asked == [b"DER"] and stream.peer_certificate == b"DER"
    assert plain.sent == [b"hello", b"finished"] and not plain.closed


def test_a_no_is_told_and_nothing_else():
    stream, plain, engine, _ = make([b"c", b"o"])
    refused(EACCES, stream.shake_hands(5000, answering(False)))
    assert plain.sent == [b"hello", b"bad_certificate"] and plain.closed and engine.freed
    assert stream.peer_certificate is None


def test_a_question_that_fails_closes_the_stream():
    stream, plain, engine, _ = make([b"c"])

    async def accept(certificate):
        raise ValueError("cannot tell")

    raises(ValueError, run, stream.shake_hands(5000, accept))
    assert plain.closed and engine.freed


def test_a_handshake_that_drips_ends_at_its_deadline_and_says_what_was_due():
    stream, plain, engine, clock = make([b"."] * 1000, step=100)
    error = refused(ETIMEDOUT, stream.shake_hands(clock.now + 950, answering(True)))
    assert "ServerHello" in error.args[1] and clock.now <= 2100 and plain.closed and engine.freed


def test_a_handshake_that_never_ends_has_a_budget():
    stream, plain, engine, _ = make([b"." * 1000] * 100)
    error = refused(EPROTO, stream.shake_hands(5000, answering(True)))
    assert str(HANDSHAKE_BYTES) in error.args[1] and plain.closed and len(plain.incoming) >= 30


def test_an_end_within_the_handshake_is_broken_tls():
    for incoming in ([], [b"e"], [b"c", b"e"]):
        stream, plain, engine, _ = make(incoming)
        refused(EPROTO, stream.shake_hands(5000, answering(True)))
        assert plain.closed and engine.freed


def test_broken_tls_is_told_to_the_server():
    stream, plain, engine, _ = make([b"!"])
    refused(EPROTO, stream.shake_hands(5000, answering(True)))
    assert plain.sent == [b"hello", b"alert"] and plain.closed


def test_an_engine_that_wants_nothing_does_not_hold_the_loop():
    stream, plain, engine, clock = make([b"."])
    engine.stuck = True
    clock.sleep_of = clock.sleep

    async def sleep(duration):
        await clock.sleep_of(max(duration, 10))

    clock.sleep = sleep
    refused(ETIMEDOUT, stream.shake_hands(clock.now + 500, answering(True)))


def test_plaintext_comes_and_the_end_is_told():
    stream, plain, engine, _ = opened([b"AB", b"C..", b"e"])
    buffer = bytearray(2)
    assert run(stream.read_into(buffer, 5000)) == 2 and buffer == b"AB" and not stream.orderly
    assert run(stream.read_into(buffer, 5000)) == 1
    assert run(stream.read_into(buffer, 5000)) == 0 and stream.orderly
    refused(EPIPE, stream.write(b"x", 5000))


def test_a_cut_is_an_end_that_is_not_orderly():
    stream, plain, engine, _ = opened([b"A"])
    buffer = bytearray(2)
    assert run(stream.read_into(buffer, 5000)) == 1
    for _ in range(2):
        assert run(stream.read_into(buffer, 5000)) == 0 and not stream.orderly
    refused(EPIPE, stream.write(b"x", 5000))


def test_silence_ends_at_the_deadline():
    stream, plain, engine, clock = opened([], ends=False)
    refused(ETIMEDOUT, stream.read_into(bytearray(2), clock.now + 50))


def test_all_is_written_in_pieces():
    stream, plain, engine, _ = opened([])
    run(stream.write(b"abcdefg", 5000))
    assert plain.sent[-3:] == [b"<abc>", b"<def>", b"<g>"]


def test_what_the_server_said_before_it_hung_up_says_why_a_write_failed():
    """A server of TLS 1.3 that wants a certificate says so after the phone's handshake, and closes at once."""
    for said, number, words in ((b"!", EPROTO, "TLS: broken"), (b"X", EPIPE, "hung up"), (b"e", EPIPE, "hung up")):
        stream, plain, engine, clock = opened([said])

        async def hung_up(data, deadline):
            raise OSError(EPIPE, "hung up")

        plain.write = hung_up
        error = raises(OSError, run, stream.write(b"abc", 9000))
        assert error.args[0] == number and words in str(error), said


def test_an_engine_that_takes_nothing_and_sends_nothing_holds_no_write():
    stream, plain, engine, clock = opened([b"."] * 3, ends=False)
    engine.write = lambda data: 0
    before = len(plain.incoming)
    refused(ETIMEDOUT, stream.write(b"x", clock.now + 50))
    assert before and not plain.incoming, "it was helped on by what the server sent"


def test_an_engine_that_takes_nothing_after_a_cut_holds_no_write():
    stream, plain, engine, clock = opened([])
    engine.write = lambda data: 0
    refused(EPIPE, stream.write(b"x", clock.now + 50))


def test_a_broken_engine_that_wants_nothing_is_a_fault_and_no_busy_loop():
    for act in ("write", "read"):
        stream, plain, engine, clock = opened([])
        engine.stuck, engine.write = True, lambda data: 0
        moved_to, turns = clock.sleep, []
        clock.sleep = lambda duration, slept=turns, sleep=moved_to: (slept.append(duration), sleep(duration))[1]
        ends = clock.now + 5000
        error = refused(EPROTO, stream.write(b"x", ends) if act == "write" else stream.read_into(bytearray(2), ends))
        assert "fault of the phone" in error.args[1] and len(turns) == TURNS


def test_bytes_that_bring_no_plaintext_hold_no_read_beyond_its_deadline():
    stream, plain, engine, clock = opened([b"."] * 1000, step=100)
    error = refused(ETIMEDOUT, stream.read_into(bytearray(2), clock.now + 950))
    assert clock.now <= 2100 and len(plain.incoming) > 900, error


def test_plaintext_that_is_there_is_read_after_the_deadline():
    stream, plain, engine, clock = opened([b"ABC"])
    buffer = bytearray(2)
    assert run(stream.read_into(buffer, clock.now + 50)) == 2
    assert run(stream.read_into(buffer, clock.now - 50)) == 1 and buffer[:1] == b"C"


def test_close_says_so_once_and_is_final():
    stream, plain, engine, _ = opened([])
    stream.close()
    stream.close()
    assert plain.sent[-1] == b"close_notify" and plain.sent.count(b"close_notify") == 1 and engine.freed
    refused(EBADF, stream.read_into(bytearray(2), 5000))
    refused(EBADF, stream.write(b"x", 5000))


def test_which_hosts_are_named_to_the_server():
    assert is_numeric("192.0.2.1") and is_numeric("2001:db8::1") and is_numeric("fe80::1%eth0")
    assert not is_numeric("ucm.example") and not is_numeric("4ucm")
