# SPDX-License-Identifier: MIT
"""The server's side of TVS (docs/spec/tvs.md): reading requests, looking certificates up, writing responses."""

import os
import struct

from cryptography import x509

from host_tools.lab.servers.elements import BadMessage, elements_of
from host_tools.lab.servers.stream import read_exactly
from host_tools.lab.writers import files

PROTOCOL, VERSION = 0x57, 1
VERIFICATION_REQUEST, VERIFICATION_RESPONSE, QUERY_REQUEST, QUERY_RESPONSE = 1, 2, 3, 4
DEVICE_NAME, CERTIFICATE, SUBJECT_NAME, ISSUER_NAME, SERIAL_NUMBER, STATUS, ROLES, TTL = 1, 2, 3, 4, 5, 7, 8, 9
VALID, NOT_VALID = b"\0", b"\1"
LARGEST_REQUEST = 16384


def answer_stream(stream, database, on_answer, time_to_live=86400, only_verification=False):
    """Answer the requests of one connection until the phone closes it.

    `database()` gives {certificate DER: roles} as of now. `on_answer(details)` is called once for each request.
    With `only_verification` a QUERY_CERT_REQ closes the connection, like servers that know only CERT_VERIFICATION.
    """
    while True:
        header = read_exactly(stream, 10)
        if header is None:
            return
        protocol, version, command, _reserved, session, length = struct.unpack(">BBBBIH", header)
        if protocol != PROTOCOL or version != VERSION or length > LARGEST_REQUEST:
            on_answer({"what": "bad request", "header": header.hex()})
            return
        body = read_exactly(stream, length) if length else b""
        answer, details = respond(command, session, body or b"", database(), time_to_live, only_verification)
        on_answer(details)
        if answer is None:
            return
        stream.sendall(answer)


def respond(command, session, body, database, time_to_live=86400, only_verification=False):
    """(response, or None where the connection is closed instead; details for the log) to one request; arguments as above."""
    try:
        elements = elements_of(body)
        details = {"device": device_name(elements)}
        if command == QUERY_REQUEST and not only_verification:
            found = query(elements, database, details)
            response = QUERY_RESPONSE
        elif command == VERIFICATION_REQUEST:
            found = verify(elements, database, details)
            response = VERIFICATION_RESPONSE
        else:
            what = "query" if command == QUERY_REQUEST else f"command {command}"
            return None, {**details, "what": what, "answer": "closed"}
    except BadMessage as error:
        return None, {"what": "bad request", "text": str(error)}
    roles = [files.ROLE_NAMES.get(role, str(role)) for role in sorted(found[1])] if found else []
    details |= {"answer": "valid" if found else "refused", "roles": roles}
    return response_message(response, session, found, time_to_live), details


def device_name(elements):
    """The phone's name: the value after its leading byte 1 [seen]; empty where it is missing."""
    return elements.get(DEVICE_NAME, b"")[1:].decode("utf-8", "replace")


def query(elements, database, details):
    """QUERY_CERT: (certificate DER, roles) for the issuer and serial asked for, or None. Fills in `details`."""
    if ISSUER_NAME not in elements or SERIAL_NUMBER not in elements:
        raise BadMessage("a query without issuer name or serial number")
    issuer = elements[ISSUER_NAME].rstrip(b"\0").decode("utf-8", "replace")
    serial = elements[SERIAL_NUMBER].lstrip(b"\0")
    details.update(what="query", issuer=issuer, serial=serial.hex())
    certificate_der = find_certificate(database, issuer, serial)
    return None if certificate_der is None else (certificate_der, database[certificate_der])


def find_certificate(database, issuer, serial):
    """The certificate (DER) in the database with this issuer (text) and serial (bytes without leading zeros), or None."""
    wanted = name_parts(issuer)
    for certificate_der in database:
        certificate = x509.load_der_x509_certificate(certificate_der)
        if (
            files.serial_bytes(certificate.serial_number) == serial
            and name_parts(files.name_text(certificate.issuer)) == wanted
        ):
            return certificate_der
    return None


def verify(elements, database, details):
    """CERT_VERIFICATION: (None, roles) where the database has exactly this certificate, else None."""
    if CERTIFICATE not in elements:
        raise BadMessage("a verification request without a certificate")
    certificate_der = elements[CERTIFICATE]
    try:
        subject = files.name_text(x509.load_der_x509_certificate(certificate_der).subject)
    except ValueError:
        subject = "(unreadable)"
    details.update(what="verification", subject=subject)
    roles = database.get(certificate_der)
    return None if roles is None else (None, roles)


def response_message(command, session, found, time_to_live):
    """A response: status; where found also the certificate (queries only), roles and time to live in seconds."""
    body = files.tlv(STATUS, VALID if found else NOT_VALID)
    if found:
        certificate_der, roles = found
        if certificate_der is not None:
            body += files.tlv(CERTIFICATE, certificate_der)
        body += files.tlv(ROLES, bytes(sorted(roles))) + files.tlv(TTL, struct.pack(">I", time_to_live))
    # Real servers put any value into the reserved byte; so does this one, for phones that wrongly look at it.
    return struct.pack(">BBBBIH", PROTOCOL, VERSION, command, os.urandom(1)[0], session, len(body)) + body


def name_parts(text):
    """The set of (type, value) pairs of a name in text, for comparison: order, separator and blanks do not matter.

    This is enough for the names of a lab cluster. It does not use the phone's own rules (agent/formats/names.py), on purpose.
    """
    parts, current, escaped = [], "", False
    for character in text:
        if character in ",;" and not escaped:
            parts.append(current)
            current = ""
        else:
            current += character
        escaped = character == "\\" and not escaped
    pairs = (part.partition("=") for part in [*parts, current])
    return frozenset((kind.strip().upper(), value.strip()) for kind, _equals, value in pairs)
