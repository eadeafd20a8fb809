# SPDX-License-Identifier: MIT
"""Every function of the agent that gets untrusted bytes, and what each may raise: for the mutations of parsers.py, and for
atheris (fuzz_one.py)."""

import binascii
import json
from pathlib import Path

from agent.errors import Refused
from agent.fetch.errors import FetchError
from agent.fetch.tftp import packet
from agent.flash.identity import parse_pem
from agent.formats import bootenv, names, signedfile, tlv, trustlist
from agent.formats.fit import Fit
from agent.formats.header import Header
from agent.formats.phoneconfig import PhoneConfig
from agent.formats.xml import elements
from agent.local import requests
from agent.servers.capf import message as capf
from agent.servers.messages import MessageError
from agent.servers.tvs import message as tvs
from hal.host import crypto
from hal.lines import Input
from tests.helpers.agent.http_world import Fetch, chunked, response

VECTORS = Path(__file__).resolve().parents[1] / "vectors"
_LIBRARY = crypto("native")


def _lines(data):
    typed = Input()
    try:
        for at in range(0, len(data), 50):
            typed.feed(data[at : at + 50])
            while typed.next() is not None:
                pass
        typed.feed(b"")
        while True:
            typed.next()
    except EOFError:
        return


def _options(data):
    packet.read_options(data, {"blksize": 1468, "tsize": 0, "windowsize": 4})


def _names(data):
    text, _, der = data.partition(b"\0\0")
    names.same(text.decode("latin-1"), der)


def _http(data):
    Fetch([data, b""], limit=20000).run()


def _environment(data):
    bootenv.decode((binascii.crc32(data) & 0xFFFFFFFF).to_bytes(4, "little") + b"\1" + data)


def _boot_image(data):
    Fit(lambda offset, count: data[offset : offset + count], len(data))


def _may_raise(call, *errors):
    def read(data):
        try:
            call(data)
        except errors:
            return

    return read


#: name -> function(bytes), which raises nothing but faults of ours
ENTRY_POINTS = {
    "trust list": _may_raise(lambda data: trustlist.TrustList(data, _LIBRARY), Refused),
    "signed file": _may_raise(lambda data: signedfile.read(data, _LIBRARY), Refused),
    "header": _may_raise(Header, Refused),
    "records": _may_raise(lambda data: list(tlv.record_tlvs(data, 0)), Refused),
    "configuration": _may_raise(PhoneConfig, Refused),
    "XML": _may_raise(lambda data: list(elements(data)), Refused),
    "certificate": _may_raise(_LIBRARY.certificate, ValueError),
    "names": _may_raise(_names, ValueError, Refused),
    "TVS message": _may_raise(tvs.decode, MessageError),
    "CAPF message": _may_raise(capf.decode, MessageError),
    "TFTP options": _may_raise(_options, FetchError, ValueError),
    "TFTP error": _may_raise(lambda data: len(data) >= 4 and packet.read_error(data)),
    "answer by HTTP": _may_raise(_http, FetchError),
    "words of the boot loader": _may_raise(_environment),
    "boot image": _may_raise(_boot_image, Refused),
    "mic.pem": _may_raise(lambda data: parse_pem(data.decode("latin-1")), ValueError),
    "request of a program": _may_raise(requests.parse, ValueError),
    "line of a console": _may_raise(_lines),
}


def _files(*patterns):
    return [
        path.read_bytes()
        for pattern in patterns
        for path in sorted(VECTORS.glob(pattern))
        if path.stat().st_size < 20000
    ]


def signedfile_body(data):
    """What is signed in a signed file."""
    return data[Header(data).length :]


LOADS = [(VECTORS.parent / "vectors_own/loads" / f"{name}.sgn").read_bytes() for name in ("board", "old", "spare")]
_LISTS, _SIGNED = _files("*.tlv"), _files("*.sgn")
_CERTIFICATES = [
    record.certificate for record in trustlist.TrustList(_LISTS[-1], _LIBRARY).records() if record.certificate
]
_ANSWER = [(tvs.STATUS, b"\0"), (tvs.CERTIFICATE, _CERTIFICATES[0]), (tvs.ROLES, b"\0\3"), (tvs.TTL, b"\0\1\x51\x80")]
SEEDS = {
    "trust list": _LISTS,
    "signed file": _SIGNED,
    "header": _LISTS + _SIGNED,
    "records": [data[tlv.header_length(data) :] for data in _files("itl-*.tlv", "ctl-*.tlv")],
    "configuration": _files("*.cnf.xml"),
    "XML": _files("*.cnf.xml"),
    "certificate": _CERTIFICATES,
    "names": [b"CN=a,O=b;C=c\0\0" + _LIBRARY.certificate(der).issuer for der in _CERTIFICATES],
    "TVS message": [tvs.encode(tvs.QUERY_CERT_RES, 77, _ANSWER)],
    "CAPF message": [capf.encode(capf.AUTH_REQ, 77, ((7, b"\3"), (8, b"\0")))],
    "TFTP options": [b"\0\6blksize\x001468\0tsize\x00700\0windowsize\x004\0"],
    "TFTP error": [b"\0\5\0\1no such file\0"],
    "answer by HTTP": [response(), chunked(b"abc", b"defgh"), response(fields=[b"Content-Encoding: identity"])],
    "words of the boot loader": [b"slot=a\0upgrade_available=1\0bootcount=0\0\0"],
    "boot image": [signedfile_body(data) for data in LOADS],
    "mic.pem": _files("lsc.pem"),
    "request of a program": [json.dumps({"id": 1, "do": "judge", "purpose": "capf", "certificate": "QUJD"}).encode()],
    "line of a console": [b"show status\nerase all yes yes\n", b"x" * 500 + b"\nhelp\n"],
}
