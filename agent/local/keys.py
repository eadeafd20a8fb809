# SPDX-License-Identifier: MIT
"""The phone's own keys for its other programs: certificates, and signatures for TLS handshakes (docs/keys.md).

Rules kept here:
1. a key never leaves, and it signs only digests of the right size under a scheme of TLS, so it decrypts nothing;
2. only programs of the agent's group get signatures, its own user's and root's among them;
3. a program gets so many signatures a minute, all programs of a user four times as many; more are refused, and counted;
4. a program may name the certificate that its signature must fit; it is refused where the phone has another by now."""

from binascii import a2b_base64, b2a_base64

#: scheme -> kind of key
SCHEMES = {"rsa-pkcs1": "rsa", "rsa-pss": "rsa", "ecdsa": "ec"}
#: digest -> bytes
DIGESTS = {"sha256": 32, "sha384": 48, "sha512": 64}
KEYS = ("lsc", "mic")
MINUTE = 60000  # ms
USER_TIMES = 4  # as many as one program, for all programs of a user
ROOT = 0


class Keys:
    """identity: agent.flash.identity.Identity. crypto, clock: of the HAL. limit: signatures that one program gets in a
    minute. user, group: the numbers of the user and group that the agent runs as, None where the system does not tell.

    signed, refused: how many signatures were made and refused since the start, for the status."""

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
        """The answer to a program that asks for the phone's certificate: key, certificate, sha256. ValueError.

        key: of the request; without one the certificate that the phone shows to servers."""
        name = self._name(request) or (
            "mic" if self._identity.lsc is None and self._identity.mic is not None else "lsc"
        )
        pair = self._pair(name)
        if pair is None:
            return {"key": name, "certificate": None, "sha256": None}
        return {"key": name, "certificate": _base64(pair[0]), "sha256": self._fingerprint(pair)}

    def sign(self, stream, request):
        """The answer to a program that wants a digest signed: signature. ValueError that says why not.

        stream: the program's connection, for its process, user and group."""
        try:
            return {"signature": _base64(self._signature(stream, request))}
        except ValueError:
            self.refused += 1
            raise

    def status(self):
        """Part of the status."""
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
        """One more signature for this program. ValueError where its share of this minute is used up."""
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
    """Base64 as bytes; b"" for anything else."""
    try:
        return a2b_base64(text) if isinstance(text, str) else b""
    except ValueError:
        return b""
