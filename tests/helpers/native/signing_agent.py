# SPDX-License-Identifier: MIT
"""An agent that gives certificates and signs, for the PKCS#11 module's tests: it follows docs/service.md.

tests/scenarios use the real agent. Here a test can change keys, give wrong answers, and stop the agent."""

import base64
import contextlib
import datetime
import hashlib
import json
import socket
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from hal.host.with_cryptography import HostCrypto

HELLO = b'{"phonetrust": "0.2.0", "protocol": 1}\n'
CURVES = {256: ec.SECP256R1(), 384: ec.SECP384R1(), 521: ec.SECP521R1()}
DAY = datetime.datetime(2026, 1, 1)


def key_of(name):
    """A new private key: "rsa-2048", "ec-256"."""
    kind, bits = name.split("-")
    if kind == "rsa":
        return rsa.generate_private_key(65537, int(bits))
    return ec.generate_private_key(CURVES[int(bits)])


def pair_of(key, name="SEP00270DC01C92", issuer=None, issuer_key=None):
    """(certificate DER, private key DER) around a key; signed by itself, or by another."""
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder(
        issuer or subject, subject, key.public_key(), x509.random_serial_number(), DAY, DAY.replace(year=2045)
    )
    certificate = builder.sign(issuer_key or key, hashes.SHA256())
    encoding = serialization.Encoding.DER
    private = key.private_bytes(encoding, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
    return certificate.public_bytes(encoding), private


class SigningAgent:
    """Listens at `path`. pairs: {"lsc": (certificate, key), "mic": ...}, may be changed at any time. answer: a function
    of (request, answer) that gives what is sent in place of an answer: a dictionary, bytes, or None to end the connection.
    """

    def __init__(self, path, pairs, crypto=None):
        self.path = str(path)
        self.pairs = dict(pairs)
        self.requests = []
        self.connections = 0
        self.answer = None
        self._crypto = crypto or HostCrypto()
        self._open = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.path)
        self._listener.listen(16)
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.close()

    def close(self):
        """End it, and all connections with it."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def signed(self):
        """The requests to sign."""
        return [request for request in self.requests if request["do"] == "sign"]

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection, connection.makefile("rb") as lines, contextlib.suppress(OSError):
            connection.sendall(HELLO)
            for line in lines:
                request = json.loads(line)
                self.requests.append(request)
                answer = {"id": request["id"], **self._answer(request)}
                if self.answer is not None:
                    answer = self.answer(request, answer)
                if answer is None:
                    return
                connection.sendall(answer if isinstance(answer, bytes) else json.dumps(answer).encode() + b"\n")

    def _answer(self, request):
        key = request.get("key") or ("lsc" if "lsc" in self.pairs else "mic")
        pair = self.pairs.get(key)
        fingerprint = hashlib.sha256(pair[0]).hexdigest() if pair else None
        if request["do"] == "certificate":
            text = base64.b64encode(pair[0]).decode() if pair else None
            return {"ok": True, "key": key, "certificate": text, "sha256": fingerprint}
        if pair is None or request.get("certificate", fingerprint) != fingerprint:
            return {"ok": False, "error": "this phone has no such key any more"}
        try:
            data = base64.b64decode(request["data"], validate=True)
            signature = self._crypto.sign_tls(pair[1], request["scheme"], request["digest"], data)
        except ValueError as error:
            return {"ok": False, "error": str(error)}
        return {"ok": True, "signature": base64.b64encode(signature).decode()}
