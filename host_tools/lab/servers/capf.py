# SPDX-License-Identifier: MIT
"""The server's side of CAPF (docs/spec/capf.md): what the cluster does with a phone that connects. A connection is one session.

The cluster keeps or forgets the phone's LSC only after the phone said that it has done the same. A session that breaks
before that leaves the operation pending, so the phone can try again.
"""

import hmac
import re
import secrets
import struct

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import NameOID

from host_tools.lab.errors import LabError
from host_tools.lab.model.keys import Identity, make_certificate, subject
from host_tools.lab.servers import capf_message as message
from host_tools.lab.servers.elements import BadMessage, elements_of
from host_tools.lab.servers.stream import read_exactly

_DEVICE = re.compile(r"(?:CP-[A-Za-z0-9]+-)?SEP([0-9A-F]{12})")
PROGRESS_LIMIT = 600  # IN_PROGRESS messages of the phone; a key takes minutes on a slow one


class _End(Exception):
    """Ends the session with an END of this reason; `why` is for the log."""

    def __init__(self, reason, why, *elements):
        super().__init__(why)
        self.reason = reason
        self.elements = elements


def answer_stream(stream, cluster, on_event):
    """Hold one session with the phone on `stream`; `on_event(what, **details)` is called for each important step."""
    _Session(stream, cluster, on_event).run()


class _Session:
    def __init__(self, stream, cluster, on_event):
        self._stream = stream
        self._cluster = cluster
        self._on_event = on_event
        self._number = secrets.randbits(31)
        self._device = ""

    def run(self):
        """Run the session from AUTH_REQ to END."""
        try:
            phone_mac, phone = self._authenticate()
            capf = phone["capf"]
            if capf["operation"] == "none":
                raise _End(message.NO_ACTION, "nothing to do")
            if capf["retry_later"]:
                delay = (message.RETRY_DELAY, struct.pack(">H", capf["retry_later"]))
                raise _End(message.NO_ACTION, f"sent away for {capf['retry_later']} seconds", delay)
            operation = {
                "install": self._install,
                "update": self._install,
                "delete": self._delete,
                "fetch": self._fetch,
            }
            operation[capf["operation"]](phone_mac, phone)
            raise _End(message.UPDATED, f"{capf['operation']} done")
        except _End as end:
            self._send(message.END, (message.REASON, bytes([end.reason])), *end.elements)
            self._on_event("end", device=self._device, reason=end.reason, text=str(end))
        except BadMessage as error:
            self._send(message.END, (message.REASON, bytes([message.INVALID_ELEMENT])))
            self._on_event("end", device=self._device, reason=message.INVALID_ELEMENT, text=str(error))

    def _authenticate(self):
        """Ask the phone for its name and for the proof that its entry wants. Returns (MAC, entry)."""
        # The server does not know the phone's name yet, so it cannot say which proof it wants: AUTHTYPE 0 leaves that to the
        # phone's configuration, which says the same (capfAuthMode).
        self._send(
            message.AUTH_REQ, (message.VERSION_ELEMENT, bytes([message.VERSION])), (message.AUTHENTICATION_TYPE, b"\0")
        )
        elements = self._receive(message.AUTH_RES)
        self._device = message.text(elements, message.DEVICE_NAME)
        match = _DEVICE.fullmatch(self._device)
        phones = self._cluster.data["phones"]
        if not match or match[1] not in phones:
            raise _End(message.UNKNOWN_DEVICE, "the cluster does not know this phone")
        mac, phone = match[1], phones[match[1]]
        wanted = phone["capf"]["authentication"]
        if phone["capf"]["operation"] == "none":
            return mac, phone
        if wanted == "string":
            given = message.text(elements, message.PASSWORD)
            if not hmac.compare_digest(given.encode(), phone["capf"]["string"].encode()):
                raise _End(message.INVALID_ELEMENT, "the authentication string is wrong")
        elif wanted in ("lsc", "mic"):
            wanted = self._check_certificate(mac, wanted, *message.check_proof(elements, self._number))
        self._on_event("authenticated", device=self._device, by=wanted)
        return mac, phone

    def _check_certificate(self, mac, wanted, kind, certificate):
        """The certificate must be the phone's: its LSC as the cluster issued it, its MIC as known or by the manufacturer.

        A phone that should show its LSC and has none shows its MIC [seen].
        """
        shown = {message.LSC: "lsc", message.MIC: "mic"}.get(kind)
        if shown is None or (shown != wanted and wanted != "lsc"):
            raise _End(message.INVALID_ELEMENT, f"the phone shows another certificate than its {wanted.upper()}")
        known = self._cluster.phone_certificate(mac, shown)
        if known == certificate.public_bytes(serialization.Encoding.DER):
            return shown
        authority = self._cluster.state.identities.get("mic-authority")
        if shown == "mic" and known is None and authority is not None and _issued_to(mac, certificate, authority):
            return shown
        raise _End(message.INVALID_ELEMENT, f"the cluster does not know this {shown.upper()}")

    def _install(self, mac, phone):
        capf = phone["capf"]
        self._send(message.KEYGEN_REQ, *message.key_request(capf["key"]))
        elements = self._receive(message.KEYGEN_RES)
        if message.REASON in elements and message.PUBLIC_KEY not in elements:
            raise _End(message.INVALID_ELEMENT, f"the phone made no key, reason {message.reason(elements)}")
        public_key = message.public_key_of(elements, capf["key"])
        for _time in range(capf["in_progress"]):
            self._send(message.IN_PROGRESS)
        name = subject(f"CP-{phone['model']}-SEP{mac}")
        lsc = make_certificate(name, public_key, self._cluster.state.loaded("capf", 1, "capf"))
        self._send(message.STORE_REQ, (message.CERTIFICATE, message.certificate_value(message.LSC, Identity(lsc).der)))
        code = message.reason(self._receive(message.STORE_RES))
        if code != message.UPDATED:
            raise _End(message.INVALID_ELEMENT, f"the phone did not store its LSC, reason {code}")
        self._cluster.capf_done(mac, lsc)
        self._on_event("issued", device=self._device, serial=f"{lsc.serial_number:x}", key=capf["key"])

    def _fetch(self, mac, _phone):
        self._send(message.FETCH_REQ)
        elements = self._receive(message.FETCH_RES)
        if message.CERTIFICATE not in elements:
            self._cluster.capf_done(mac)
            raise _End(message.NO_ACTION, "the phone has no LSC")
        kind, certificate = message.certificate_of(elements)
        if kind != message.LSC:
            raise _End(message.INVALID_ELEMENT, "the phone showed another certificate than its LSC")
        self._cluster.capf_done(mac, certificate)
        self._on_event("fetched", device=self._device, serial=f"{certificate.serial_number:x}")

    def _delete(self, mac, _phone):
        self._send(message.DELETE_REQ)
        code = message.reason(self._receive(message.DELETE_RES))
        if code not in (message.UPDATED, message.INVALID_ELEMENT):
            raise _End(message.INVALID_ELEMENT, f"the phone did not delete its LSC, reason {code}")
        self._cluster.capf_done(mac, removed=True)
        self._on_event("deleted" if code == message.UPDATED else "had none", device=self._device)

    def _send(self, command, *elements):
        self._stream.sendall(message.encode(command, self._number, *elements))

    def _receive(self, wanted):
        """The elements of the phone's next message, which must be `wanted`; IN_PROGRESS may come before it."""
        for _count in range(PROGRESS_LIMIT):
            header = read_exactly(self._stream, 8)
            if header is None:
                raise LabError("the phone ended the session")
            protocol, command, session, length = struct.unpack(">BBIH", header)
            if protocol != message.PROTOCOL or session != self._number or length > message.LARGEST:
                raise BadMessage("a message that is not of this session")
            body = read_exactly(self._stream, length) if length else b""
            if body is None:
                raise LabError("the phone ended the session")
            if command == message.IN_PROGRESS:
                self._on_event("key is being made", device=self._device)
                continue
            if command != wanted:
                raise BadMessage(f"command {command} where {wanted} was expected")
            return elements_of(body)
        raise BadMessage("the phone does not finish its key")


def _issued_to(mac, certificate, authority):
    """True when the manufacturer issued this certificate to this very phone."""
    try:
        certificate.verify_directly_issued_by(authority.certificate)
    except (ValueError, TypeError, InvalidSignature):
        return False
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return len(names) == 1 and names[0].value.endswith(f"SEP{mac}")
