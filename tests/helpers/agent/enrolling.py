# SPDX-License-Identifier: MIT
"""What tests of the phone's own certificate need, on both Pythons: files with a good signature, certificates for any
key, and a CAPF server on the fake network.

The only private key here, that of lsc.pem, signs as the cluster's TFTP."""

import binascii

from agent.formats import names
from agent.servers.capf import message as capf
from tests.helpers.agent.both import vector
from tests.helpers.agent.building import der, element, fields, header_of, library, record, text, tlv, trust_list
from tests.helpers.agent.building import signer as signer_tlv
from tests.helpers.agent.phone_world import World, own_pair

SIGNER = "lsc.cert.pem"
CAPF_CERTIFICATE = "capf.cert.pem"
CAPF_HOST, CAPF_PORT = "192.0.2.7", 3804
OWN = "SEP00270DC01C92.cnf.xml"
SIGNED, ENCRYPTED = OWN + ".sgn", OWN + ".enc.sgn"
_SHA256_INFO = binascii.unhexlify("3031300d060960864801650304020105000420")  # RFC 8017, 9.2, note 1
_SHA256_RSA = binascii.unhexlify("300d06092a864886f70d01010b0500")


def signed(name, body, extra=(), version=b"\1\0"):
    """A signed file with a good signature by the key of SIGNER (SHA-256). extra: TLVs after TIMESTAMP."""
    found = fields(SIGNER)
    parts = [
        signer_tlv(names.to_text(found.subject), names.to_text(found.issuer), found.serial),
        tlv(7, tlv(8, b"\2") + tlv(9, tlv(10, b"\0") + tlv(11, b"\2"))),
        tlv(12, bytes(256)),
        text(14, name),
        tlv(15, b"\x65\0\0\0"),
    ]
    data = bytearray(header_of(parts + list(extra), version) + body)
    at = data.index(tlv(12, bytes(256)))
    digest = library().digest("sha256", data, (at, 259))
    data[at + 3 : at + 259] = library().sign(own_pair()[1], "rsa-bare", _SHA256_INFO + digest)
    return bytes(data)


def certificate_for(public_key, name="lsc.cert.pem"):
    """A certificate for this SubjectPublicKeyInfo with the names of another certificate, and without a good signature."""
    found = fields(name)
    until = element(0x30, element(0x17, b"260101000000Z") + element(0x17, b"450101000000Z"))
    version = element(0xA0, element(2, b"\2"))
    body = version + element(2, b"\x11\x22") + _SHA256_RSA + found.issuer + until + found.subject + public_key
    return element(0x30, element(0x30, body) + _SHA256_RSA + element(3, bytes(257)))


def new_pair(kind="ec", bits=256):
    """A certificate and its new key."""
    key, public_key = library().make_key(kind, bits)
    return certificate_for(public_key), key


def itl(*more, **changes):
    """An ITL with SIGNER as TFTP and the CAPF server, and further (role, certificate)s; changes: of its header."""
    rows = [(names.SAST, SIGNER), (names.TFTP, SIGNER), (names.CAPF, CAPF_CERTIFICATE)] + list(more)
    return trust_list([record(role, certificate) for role, certificate in rows], SIGNER, **changes)


def configuration(mode=None, encrypted=False, full=True, extra=""):
    """A configuration with these enrolment settings."""
    lines = ["<device>", "<fullConfig>%s</fullConfig>" % ("true" if full else "false")]
    if mode is not None:
        lines.append("<capfAuthMode>%d</capfAuthMode><capfList><capf><phonePort>%d</phonePort>" % (mode, CAPF_PORT))
        lines.append("<processNodeName>%s</processNodeName></capf></capfList>" % CAPF_HOST)
    lines.append("<encrConfig>%s</encrConfig>%s</device>" % ("true" if encrypted else "false", extra))
    return "\n".join(lines).encode()


class CapfServer:
    """A CAPF server that does one thing with a phone: `does` is "install", "delete", "fetch" or None.

    key: elements of KEYGEN_REQ. ends: the answer instead of obeying, (reason, further elements). issued: certificates.
    on_issue(certificate): called when the phone says that it has stored one. silent_after: after these
    commands of the phone the server is silent."""

    def __init__(self, does="install", key=((17, b"\1"), (18, b"\0"))):
        self.does = does
        self.key = key
        self.ends = None
        self.string = None
        self.issued = []
        self.heard = []
        self.sessions = 0
        self.identity = None
        self.on_issue = lambda certificate: None
        self.silent_after = ()

    def __call__(self, peer, data):
        if not data:
            self.sessions += 1
            self.identity = peer.identity
            self._say(peer, capf.AUTH_REQ, (7, b"\3"), (8, b"\0"))
            return
        message = capf.decode(data)
        self.heard.append(message.command)
        if message.command in self.silent_after:
            return
        if message.command == capf.AUTH_RES:
            self._begin(peer, message)
        elif message.command == capf.KEYGEN_RES:
            self.issued.append(certificate_for(message.public_key))
            value = capf.certificate_value(capf.LSC, self.issued[-1])
            self._say(peer, capf.STORE_REQ, (3, b"\1"), (4, value))
        elif message.command == capf.STORE_RES:
            self.does = None
            self.on_issue(self.issued[-1])
            self._say(peer, capf.END, (1, b"\1"))
        elif message.command != capf.IN_PROGRESS:
            self.does = None
            self._say(peer, capf.END, (1, b"\1"))

    def _begin(self, peer, message):
        if self.ends is not None:
            self._say(peer, capf.END, (1, bytes((self.ends[0],))), *self.ends[1])
        elif self.string is not None and message.password != self.string:
            self._say(peer, capf.END, (1, b"\7"))
        elif self.does == "install":
            self._say(peer, capf.KEYGEN_REQ, *self.key)
        elif self.does == "delete":
            self._say(peer, capf.DELETE_REQ)
        elif self.does == "fetch":
            self._say(peer, capf.FETCH_REQ)
        else:
            self._say(peer, capf.END, (1, b"\0"))

    def _say(self, peer, command, *elements):
        peer.say(capf.encode(command, 77, elements))


def enrolling(content, does="install", flash=None, mic=None, believed=CAPF_CERTIFICATE, **settings):
    """(World, CapfServer): a phone with itl() installed, a TFTP server with this configuration, a CAPF server."""
    world = World({SIGNED: signed(SIGNED, content)}, flash, mic, **settings)
    if flash is None:
        world.store.load()
        world.store.save({"itl": itl()})
    server = CapfServer(does)
    world.hal.net.serve_tcp(CAPF_HOST, CAPF_PORT, server, der(believed))
    return world, server


def encrypted_vector(padding=None, file=ENCRYPTED):
    """The encrypted vector signed anew by SIGNER; padding: CIPHERPADDING where it is not to be the right one."""
    from agent.formats import tlv as tlvs
    from agent.formats.header import Header

    data = vector(ENCRYPTED)
    found = Header(data).encryption
    count = found.padding if padding is None else padding
    iv = tlv(17, tlv(19, found.iv) + tlv(20, count.to_bytes(2, "big")))
    key = tlv(21, tlv(23, (len(found.key) * 8).to_bytes(2, "big")) + tlv(24, b"\0") + tlv(25, found.key))
    digest = {"sha1": b"\1", "sha256": b"\2", "sha512": b"\3"}[found.digest_algorithm]
    extra = [tlv(16, iv + key), tlv(26, digest), tlv(27, found.digest)]
    return signed(file, data[tlvs.header_length(data) :], extra, b"\2\0")
