# SPDX-License-Identifier: MIT
"""HTTP, TVS and CAPF servers of the fake network that misbehave, by name: each is server(peer, data), called with b"" for a
connection and then with what the phone says. The servers for TVS and CAPF show a certificate that the phone believes."""

from agent.servers.capf import message as capf
from agent.servers.tvs import message as tvs

OK = b"HTTP/1.1 200 OK\r\n"
SESSION = 77


def silent(peer, data):
    """Takes everything and says nothing."""


def cut(peer, data):
    """Ends the connection at once."""
    peer.end(orderly=False)


def reset(peer, data):
    """Resets the connection."""
    peer.reset()


def garbage(peer, data):
    """Bytes that belong to no protocol, without end."""
    peer.more = lambda peer: peer.say(bytes(range(256)) * 4)


def drip(start, delay):
    """A server that says `start` and then a byte every `delay` ms, each in time for one wait."""

    def server(peer, data):
        if not data or peer.more:
            return
        peer.say(start)
        peer.more = lambda peer: peer.say(b"a", delay)

    return server


def endless(start, block, delay=0):
    """A server that says `start`, and then `block` without end, as fast as the phone reads."""

    def server(peer, data):
        if not data or peer.more:
            return
        peer.say(start)
        peer.more = lambda peer: peer.say(block, delay)

    return server


def once(answer):
    """A server that answers the first message, and then is silent."""

    def server(peer, data):
        if data and not peer.more:
            peer.say(answer)
            peer.more = lambda peer: None

    return server


def many_fields(peer, data):
    """A refusal with as many fields as fit, each with a name of its own, which costs a reader the most memory."""
    if data:
        peer.say(b"HTTP/1.1 500 no\r\n")
        peer.more = Fields()


class Fields:
    """Says fields with new names, a few at each read, until the head is nearly too long; then its end."""

    def __init__(self):
        self.said = 17
        self.number = 0

    def __call__(self, peer):
        if self.said > 8100:
            peer.end()
            return
        block = b"".join([b"%x:\r\n" % (self.number + each) for each in range(8)])
        self.number += 8
        self.said += len(block)
        peer.say(block if self.said <= 8100 else b"\r\n")


HTTP = {
    "silent": silent,
    "cut": cut,
    "reset": reset,
    "garbage": garbage,
    "drip in the head": drip(OK, 2900),
    "drip in the body": drip(OK + b"Content-Length: 60000\r\n\r\n", 2900),
    "endless body": endless(OK + b"\r\n", bytes(1024)),
    "endless head": endless(OK, b"Field: value\r\n"),
    "endless line": endless(OK, b"a" * 1024),
    "endless interim answers": endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "endless chunks of a byte": endless(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
    "endless chunk extension": endless(OK + b"Transfer-Encoding: chunked\r\n\r\n1;", b"a" * 1024),
    "endless trailer": endless(OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"Field: value\r\n"),
    "huge size": once(OK + b"Content-Length: 999999999999\r\n\r\n"),
    "many fields": many_fields,
    "two sizes": once(OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef"),
    "redirect": once(b"HTTP/1.1 302 Found\r\nLocation: http://192.0.2.9/\r\nContent-Length: 0\r\n\r\n"),
    "errors": once(b"HTTP/1.1 500 no\r\nContent-Length: 0\r\n\r\n"),
}


def tvs_says(*elements, session=None, command=tvs.QUERY_CERT_RES):
    """A TVS server that answers each request so."""

    def server(peer, data):
        if data:
            number = tvs.decode(data).session if session is None else session
            peer.say(tvs.encode(command, number, elements))

    return server


def tvs_others(peer, data):
    """Answers to other questions, without end."""
    if data:
        peer.more = lambda peer: peer.say(tvs.encode(tvs.QUERY_CERT_RES, 5, [(tvs.STATUS, b"\1")]))


TVS = {
    "silent": silent,
    "cut": cut,
    "reset": reset,
    "garbage": garbage,
    "drip": drip(b"\x57\1\4\0", 4900),
    "drip in the body": drip(b"\x57\1\4\0\0\0\0\1\x10\0", 4900),
    "largest size": once(b"\x57\1\4\0\0\0\0\1\xff\xff"),
    "endless": endless(b"\x57\1\4\0\0\0\0\1\xff\xff", bytes(1024)),
    "answers of other sessions": tvs_others,
    "another session": tvs_says((tvs.STATUS, b"\0"), session=1),
    "another command": tvs_says((tvs.STATUS, b"\0"), command=77),
    "valid without a certificate": tvs_says((tvs.STATUS, b"\0")),
    "an unknown status": tvs_says((tvs.STATUS, b"\x99")),
    "a certificate of zeros": tvs_says((tvs.STATUS, b"\0"), (tvs.CERTIFICATE, bytes(4000)), (tvs.ROLES, b"\0\3")),
}


def capf_says(command, *elements, greets=True):
    """A CAPF server that greets, and answers all that the phone says with this message."""

    def server(peer, data):
        if data:
            peer.say(capf.encode(command, SESSION, elements))
        elif greets:
            peer.say(capf.encode(capf.AUTH_REQ, SESSION, ((7, b"\3"), (8, b"\0"))))

    return server


def capf_endless(command, *elements):
    """A CAPF server that says this without end."""

    def server(peer, data):
        peer.more = lambda peer: peer.say(capf.encode(command, SESSION, elements))

    return server


def capf_drip(peer, data):
    """A byte just before each deadline, of a message that begins well."""
    if not data:
        peer.say(capf.encode(capf.AUTH_REQ, SESSION, ((7, b"\3"), (8, b"\0")))[:8])
        peer.more = lambda peer: peer.say(b"a", 9900)


CAPF = {
    "silent": silent,
    "cut": cut,
    "reset": reset,
    "garbage": garbage,
    "drip": capf_drip,
    "greets without end": capf_endless(capf.AUTH_REQ, (7, b"\3"), (8, b"\0")),
    "in progress without end": capf_endless(capf.IN_PROGRESS),
    "a key and another key": capf_says(capf.KEYGEN_REQ, (17, b"\1"), (18, b"\0")),
    "a key of 65535 bits": capf_says(capf.KEYGEN_REQ, (17, b"\0"), (10, b"\xff\xff")),
    "certificates of zeros": capf_says(capf.STORE_REQ, (3, b"\1"), (4, b"\1" + bytes(4000))),
    "delete without end": capf_says(capf.DELETE_REQ),
    "fetch without end": capf_says(capf.FETCH_REQ),
    "later, as late as can be": capf_says(capf.RETRY_LATER, (capf.RETRYDELAY, b"\xff\xff")),
}
