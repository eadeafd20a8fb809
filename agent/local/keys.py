# SPDX-License-Identifier: MIT
"""Lets the phone's other programs use its keys: they get certificates, and signatures for TLS handshakes (docs/keys.md).

The rules:
1. a private key never leaves the agent. It signs only digests of the right size, under a scheme of TLS, so nobody can make it
   decrypt anything;
2. only programs of the agent's own user, of its group, and of root get signatures;
3. a program gets a limited number of signatures in a minute, and all programs of a user get four times as many together.
   Further requests are refused and counted;
4. a program may name the certificate that its signature must fit. It is refused if the phone has another certificate by
   now."""

from binascii import a2b_base64, b2a_base64

#: Scheme -> the kind of key that it needs.
SCHEMES = {"rsa-pkcs1": "rsa", "rsa-pss": "rsa", "ecdsa": "ec"}
#: Digest -> its size in bytes.
DIGESTS = {"sha256": 32, "sha384": 48, "sha512": 64}
KEYS = ("lsc", "mic")
MINUTE = 60000  # ms
USER_TIMES = 4  # all programs of a user get this many times the limit of one program
ROOT = 0


class Keys:
    """The phone's keys. identity: agent.flash.identity.Identity. crypto, clock: of the HAL. limit: signatures that one program
    gets in a minute. user, group: the numbers of the user and group as which the agent runs, None if the system has none.

    signed, refused: how many signatures were made and refused since the start."""

    def __init__(self, identity, crypto, clock, limit, user=None, group=None):
        self._identity = identity
        self._crypto = crypto
        self._clock = clock
        self._limit = limit
        self._user = user
        self._group = group
        self._windows = {}  # ("process" or "user", number) -> [when it began, how many since]
        self.signed = 0
        self.refused = 0

    def certificate(self, request):
        """The answer to a program that asks for a certificate of the phone: a dictionary of key ("lsc" or "mic"), certificate
        (DER in base64, or None) and sha256 (hexadecimal, or None). If the request names no key, the answer has the
        certificate that the phone shows to servers. Raises ValueError for an unknown key."""
        name = self._name(request) or (
            "mic" if self._identity.lsc is None and self._identity.mic is not None else "lsc"
        )
        pair = self._pair(name)
        if pair is None:
            return {"key": name, "certificate": None, "sha256": None}
        return {"key": name, "certificate": _base64(pair[0]), "sha256": self._fingerprint(pair)}

    def sign(self, stream, request):
        """The answer to a program that wants a digest signed: a dictionary of signature (base64). stream: the program's
        connection, which tells its process, user and group. Raises ValueError, which says why there is no signature."""
        try:
            return {"signature": _base64(self._signature(stream, request))}
        except ValueError:
            self.refused += 1
            raise

    def status(self):
        """The signatures since the start, as a part of the status."""
        return {"signed": self.signed, "refused": self.refused, "limit": self._limit}

    def _signature(self, stream, request):
        if not self._may(stream):
            raise ValueError("only programs of the agent's group may have signatures")
        name = self._name(request)
        scheme, digest, data = request.get("scheme"), request.get("digest"), request.get("data")
        if name is None:
            raise ValueError("key must be one of: %s" % ", ".join(KEYS))
        if not isinstance(scheme, str) or scheme not in SCHEMES:
            raise ValueError("scheme must be one of: %s" % ", ".join(sorted(SCHEMES)))
        if not isinstance(digest, str) or digest not in DIGESTS:
            raise ValueError("digest must be one of: %s" % ", ".join(sorted(DIGESTS)))
        value = _bytes(data)
        if len(value) != DIGESTS[digest]:
            raise ValueError("data must be a %s in base64, %d bytes, not %d" % (digest, DIGESTS[digest], len(value)))
        pair = self._pair(name)
        if pair is None:
            raise ValueError("this phone has no %s" % name.upper())
        wanted = request.get("certificate")
        if wanted is not None and wanted != self._fingerprint(pair):
            raise ValueError("the phone has another %s by now; ask for its certificate again" % name.upper())
        self._count(stream)
        try:
            signature = self._crypto.sign_tls(pair[1], scheme, digest, value)
        except ValueError:
            raise ValueError("the %s's key is not for %s with %s" % (name.upper(), scheme, digest))
        self.signed += 1
        return signature

    def _may(self, stream):
        own = stream.user == ROOT or self._user is not None and stream.user == self._user
        return own or self._group is not None and stream.group == self._group

    def _count(self, stream):
        """Count a signature for this program and its user. Raises ValueError if one of them has used up its limit."""
        now = self._clock.monotonic()
        for key in list(self._windows):
            if now - self._windows[key][0] >= MINUTE:
                del self._windows[key]
        shares = ((("process", stream.process), self._limit), (("user", stream.user), USER_TIMES * self._limit))
        windows = [self._windows.setdefault(key, [now, 0]) for key, _ in shares]
        for window, (key, limit) in zip(windows, shares):
            if window[1] >= limit:
                whose = "a program gets" if key[0] == "process" else "the programs of a user get"
                raise ValueError("%s %d signatures a minute, and that many were made" % (whose, limit))
        for window in windows:
            window[1] += 1

    def _name(self, request):
        name = request.get("key")
        if name is not None and (not isinstance(name, str) or name not in KEYS):
            raise ValueError("key must be one of: %s" % ", ".join(KEYS))
        return name

    def _pair(self, name):
        return self._identity.lsc if name == "lsc" else self._identity.mic

    def _fingerprint(self, pair):
        return self._crypto.digest("sha256", pair[0]).hex()


def _base64(data):
    return str(b2a_base64(data), "ascii").strip()


def _bytes(text):
    """The bytes of a base64 text; b"" for anything else."""
    try:
        return a2b_base64(text) if isinstance(text, str) else b""
    except ValueError:
        return b""
