# SPDX-License-Identifier: MIT
"""TLS by libphonetrust, on both Pythons and without I/O. It knows the C interface of native/phonetrust_tls.h.

A Tls is made once, from a binding (hal/native.py explains bindings). Each Connection takes bytes and gives bytes:

    connection = Tls(binding).connect(identity)
    try:
        while connection.state in ("handshake", "judge"):
            send_all(connection.output())
            if connection.state == "judge":
                if not believed(connection.certificate):
                    break
                connection.accept()
            elif connection.wants_input:
                count = receive_into(buffer)
                if count:
                    connection.receive(memoryview(buffer)[:count])
                else:
                    connection.cut()
        ...
    finally:
        connection.free()

Before accept() only the ClientHello and alerts come out. If TLS fails, methods raise OSError(EPROTO, sentence); then `failure`
is the name of the error ("tls-proof"), and output() may have an alert for the server.
"""

from array import array

from hal.native_tls_wording import MESSAGES, sentence

FUNCTIONS = (
    ("error_name", "s", "i"),
    ("tls_new", "h", "i"),
    ("tls_free", "v", "h"),
    ("tls_server_name", "i", "hbn"),
    ("tls_identity", "i", "hbnbn"),
    ("tls_state", "i", "h"),
    ("tls_receive", "i", "hbn"),
    ("tls_cut", "i", "h"),
    ("tls_send", "i", "hon"),
    ("tls_certificate", "i", "hon"),
    ("tls_accept", "i", "h"),
    ("tls_read", "i", "hon"),
    ("tls_write", "i", "hbn"),
    ("tls_close", "i", "h"),
    ("tls_facts", "i", "hon"),
)

STATES = ("handshake", "judge", "open", "ended", "shut", "failed")
STATIC_RSA = 1
CERTIFICATE_SIZE = 8192
OUTPUT_SIZE = 4160
ERROR_MEMORY = -7
FACTS = 11
_ALERT, _AWAITED, _VERSION, _SUITE, _ASKED, _READABLE, _SENDABLE, _CAUSE = 2, 3, 4, 5, 6, 8, 9, 10

ENOMEM, EPROTO = 12, 71


class Tls:
    """Makes connections. Raises OSError (ENOEXEC) if the library has no TLS."""

    name = "libphonetrust"

    def __init__(self, binding):
        binding.declare(FUNCTIONS)
        for function in FUNCTIONS:
            setattr(self, function[0], binding.function(*function))

    def connect(self, identity=None, server_name=None, static_rsa=False):
        """A new Connection. identity: (certificate DER, private key DER), shown after accept() if the server asks, or None.

        server_name: text of at most 255 bytes for servers that have several certificates, or None. static_rsa: offer key
        exchange by RSA encryption, too. Raises ValueError if identity or server_name cannot be used, and OSError without
        memory.
        """
        return Connection(self, identity, server_name, static_rsa)


class Connection:
    """One TLS connection. Its user must call free() at the end, also after errors. After free() other calls raise ValueError."""

    def __init__(self, tls, identity=None, server_name=None, static_rsa=False):
        self._tls = tls
        self._rest = b""
        self._room = bytearray(OUTPUT_SIZE)
        self._facts = array("I", bytes(4 * FACTS))
        self._has_identity = identity is not None
        self.failure = None
        self._handle = tls.tls_new(STATIC_RSA if static_rsa else 0)
        if self._handle is None:
            raise OSError(ENOMEM)
        try:
            if server_name:
                name = server_name.encode()
                self._use(tls.tls_server_name(self._handle, name, len(name)), "server name")
            if identity is not None:
                certificate, key = identity
                self._use(
                    tls.tls_identity(self._handle, certificate, len(certificate), key, len(key)),
                    "identity",
                )
            self._done(tls.tls_receive(self._handle, b"", 0))  # now output() has the ClientHello
        except BaseException:
            self.free()
            raise

    @property
    def state(self):
        """ "handshake", "judge" (look at `certificate`, then accept), "open", "ended" (by the server's close_notify), "shut" or
        "failed"."""
        return STATES[self._tls.tls_state(self._live())]

    @property
    def wants_input(self):
        """Whether the connection needs bytes of the server to go on: all received bytes are used, and there is no plaintext to
        read and nothing to send."""
        if self._rest:
            return False
        facts = self.facts()
        return facts[0] in (0, 2) and not facts[_READABLE] and not facts[_SENDABLE]

    def receive(self, data):
        """Take bytes that the server sent. They are kept until they are used. Raises OSError if TLS fails."""
        handle = self._live()
        if self._rest:
            data = self._rest + bytes(data)
            self._rest = b""
        taken = self._done(self._tls.tls_receive(handle, data, len(data)))
        if taken < len(data) and self.state not in ("ended", "shut"):
            self._rest = bytes(memoryview(data)[taken:])

    def cut(self):
        """The server has closed its transport. Raises OSError unless it ended TLS before (close_notify)."""
        self._push()
        self._done(self._tls.tls_cut(self._live()))

    def output(self):
        """Bytes for the server; b"" if there are none now."""
        found = b""
        room = self._room
        while True:
            count = self._tls.tls_send(self._live(), room, OUTPUT_SIZE)
            if count <= 0:
                return found
            taken = bytes(memoryview(room)[:count])
            found = found + taken if found else taken

    @property
    def certificate(self):
        """The server's certificate (DER), or None before the state "judge"."""
        room = bytearray(CERTIFICATE_SIZE)
        count = self._tls.tls_certificate(self._live(), room, len(room))
        return bytes(memoryview(room)[:count]) if count > 0 else None

    def accept(self):
        """Go on, because the certificate is believed. Raises OSError if TLS fails, and ValueError in another state than
        "judge"."""
        self._call(self._tls.tls_accept(self._live()), "accept")
        self._push()

    def read_into(self, buffer):
        """Move plaintext into `buffer`. Returns how many bytes, 0 if there are none now. Raises OSError if TLS fails."""
        count = self._done(self._tls.tls_read(self._live(), buffer, len(buffer)))
        if not count and self._rest:
            self._push()
            count = self._done(self._tls.tls_read(self._live(), buffer, len(buffer)))
        return count

    def write(self, data):
        """Encrypt plaintext. Returns how many bytes were taken. If these are not all, the caller has to send output() first.

        Raises OSError if TLS fails, and ValueError in another state than "open".
        """
        return self._call(self._tls.tls_write(self._live(), data, len(data)), "write")

    def shut(self):
        """End TLS. output() then has the close_notify, or, in the state "judge", the alert that refuses the server. Never
        fails."""
        self._rest = b""
        self._tls.tls_close(self._live())

    def free(self):
        """Free its memory. May be called twice."""
        if self._handle is not None:
            self._tls.tls_free(self._handle)
            self._handle = None
            self._rest = b""

    def facts(self):
        """The numbers of phonetrust_tls_facts: an array, which the next call of any method may overwrite."""
        self._tls.tls_facts(self._live(), self._facts, FACTS)
        return self._facts

    @property
    def version(self):
        """ "TLS 1.3" or "TLS 1.2"; None before the ServerHello."""
        return {0x0304: "TLS 1.3", 0x0303: "TLS 1.2"}.get(self.facts()[_VERSION])

    @property
    def suite(self):
        """IANA's number of the cipher suite; 0 before the ServerHello."""
        return self.facts()[_SUITE]

    @property
    def awaited(self):
        """The handshake message of the server that comes next ("ServerHello"), or None, for the sentence about a timeout."""
        return MESSAGES.get(self.facts()[_AWAITED])

    def _live(self):
        if self._handle is None:
            raise ValueError("the connection was freed")
        return self._handle

    def _push(self):
        # Offers the bytes that were kept once more, since the library may be able to use them now.
        if self._rest:
            data = self._rest
            self._rest = b""
            self.receive(data)

    def _use(self, result, what):
        if result == ERROR_MEMORY:
            raise OSError(ENOMEM)
        if result < 0:
            raise ValueError("%s: %s" % (what, self._tls.error_name(result)))

    def _call(self, result, what):
        if result < 0 and self.state != "failed":
            raise ValueError("%s in state %s" % (what, self.state))
        return self._done(result)

    def _done(self, result):
        if result == ERROR_MEMORY:
            self.failure = "memory"
            raise OSError(ENOMEM)
        if result < 0:
            facts = self.facts()
            self.failure = self._tls.error_name(result)
            said = sentence(
                self.failure, facts[_ALERT], facts[_AWAITED], facts[_ASKED], facts[_CAUSE], self._has_identity
            )
            raise OSError(EPROTO, "TLS: " + said)
        return result
