# SPDX-License-Identifier: MIT
"""May this load be installed? The rules of docs/spec/loads.md, in their order.

W5.  With trust installed, only a configuration that a trust list verified can ask for a load. Without trust, any can.
W7.  A load must be signed by an image certificate of the running software. No trust list and no TVS is asked (W4).
W8.  A load must be for this board and of a format that this phone knows, and must have the name that was asked for, in
     its header and inside the image.
W9.  A load must not be older than the floor of the running software.
W10. A load that failed its trial is refused until the configuration names another load, or a person says so.

If the name alone is enough for a refusal (another board, a version below the floor, the load that failed), the phone refuses
before it fetches anything.
"""

from agent.errors import Malformed
from agent.formats import fit, names
from agent.trust.decision import Decision
from agent.trust.signature import KEY_BITS_MINIMUM, verifies
from agent.trust.wording import loads as wording

KIND = "load"
PREFIX = "phonetrust"
#: Reasons of a Decision about the configuration which say that the installed trust verified it.
VERIFIED = ("signed-by-ctl", "signed-by-itl", "vouched-by-tvs", "from-trusted-server")
NAME_LIMIT = 64  # characters


class Software:
    """The software that runs now. name: the name of its load ("phonetrust-rpi3-0.2.0"). board: "rpi3". floor: the oldest
    version that may be installed ("0.2.0"). certificates: its image certificates (DER). Raises ValueError if the floor is
    not a version."""

    def __init__(self, name, board, floor, certificates):
        self.name = name
        self.board = board
        self.floor = floor
        self.certificates = list(certificates)
        if version_of(floor) is None:
            raise ValueError("the floor must be three numbers, not %r" % floor)


class LoadRules:
    """The rules for one phone. crypto: the HAL's crypto (computation only). software: Software."""

    def __init__(self, crypto, software):
        self._crypto = crypto
        self._software = software

    def by_name(self, name, configuration, has_trust, failed):
        """Judge the name before anything is fetched. configuration: the Decision about the configuration that names the load.
        has_trust: whether trust is installed. failed: the name of the load that failed its trial last, or None. Returns a
        Decision that refuses, or None if the load may be fetched."""
        if has_trust and configuration.reason not in VERIFIED:
            return _refuse("not-authorized", name, wording.not_authorized(name, configuration))  # W5
        board, version = parts_of(name)
        if board != self._software.board:
            return _refuse("wrong-board", name, wording.wrong_name(name, self._software.board))  # W8
        if version < version_of(self._software.floor):
            return _refuse("load-too-old", name, wording.too_old(name, self._software.floor))  # W9
        if name == failed:
            return _refuse("load-failed", name, wording.failed_before(name))  # W10
        return None

    def by_header(self, name, header):
        """Judge the header (agent.formats.header.Header) by W7 and W8, before the body is written anywhere. Returns a Decision
        that refuses, or None."""
        evidence = wording.evidence(name, header)
        if not self._signers(header):
            return Decision(False, "unknown-signer", KIND, wording.unknown_signer(name, header), evidence)
        if header.filename != name + ".sgn":
            return Decision(False, "wrong-file", KIND, wording.wrong_file(name, header), evidence)
        return None

    def by_signature(self, name, signed):
        """Judge the signature by W7. signed: an agent.formats.signedfile.SignedFile whose header by_header let through. Returns
        a Decision that refuses, or None."""
        header = signed.header
        for certificate, fields in self._signers(header):
            if fields.key_bits >= KEY_BITS_MINIMUM and verifies(
                self._crypto, fields.key_kind, certificate, header, signed.digest
            ):
                return None
        evidence = wording.evidence(name, header)
        return Decision(False, "bad-signature", KIND, wording.bad_signature(name, header), evidence)

    def _signers(self, header):
        """[(DER, its fields)] of the image certificates that the header names by issuer and serial number."""
        found = []
        for certificate in self._software.certificates:
            fields = self._crypto.certificate(certificate)
            if fields.serial == header.serial and names.same(header.issuer, fields.issuer) is True:
                found.append((certificate, fields))
        return found

    def by_image(self, name, read, size):
        """Judge what the boot image says of itself, by W8 and W9. read(offset, count) returns bytes of the image, which has
        `size` bytes. Returns a Decision that refuses, or None."""
        try:
            image = fit.Fit(read, size)
            found = [image.text(path) for path in (fit.NAME, fit.BOARD, fit.VERSION)]
            form = image.number(fit.FORMAT)
        except Malformed as error:
            error.file = name
            return _refuse("malformed", name, wording.malformed(error))
        if form != fit.THIS_FORMAT or None in found:
            return _refuse("malformed", name, wording.other_format(name, form))
        inside, board, version = found
        if board != self._software.board:
            return _refuse("wrong-board", name, wording.wrong_board(name, board, self._software.board))
        if inside != name or version != name.rpartition("-")[2]:
            return _refuse("malformed", name, wording.other_name(name, inside, version))
        if version_of(version) < version_of(self._software.floor):
            return _refuse("load-too-old", name, wording.too_old(name, self._software.floor))
        return None

    def installed(self, name, signed, slot):
        """The Decision about a load that every rule allows and that is on the card. slot: "a" or "b"."""
        return Decision(
            True, "load-installed", KIND, wording.installed(name, slot), wording.evidence(name, signed.header)
        )


def confirmed(name, slot):
    """The Decision about a running load that passed its trial. slot: "a" or "b"."""
    return Decision(True, "load-confirmed", KIND, wording.confirmed(name, slot), {"load": name})


def rolled_back(why, name, running):
    """The Decision about a load that was not started or not confirmed. why: "refused", "unconfirmed" or "fallback", as the
    boot loader says. name: the name of that load, or None if it is not known. running: the name of the load that runs."""
    evidence = {"load": name, "running": running, "why": why}
    return Decision(False, "load-rolled-back", KIND, wording.rolled_back(why, name, running), evidence)


def parts_of(name):
    """(board, version as three numbers) in the name of a load; (None, None) if no load has such a name."""
    prefix, _, rest = name.partition("-")
    board, _, version = rest.rpartition("-")
    numbers = version_of(version)
    if prefix != PREFIX or not board or numbers is None or len(name) > NAME_LIMIT:
        return None, None
    return board, numbers


def version_of(text):
    """The version "0.2.10" as (0, 2, 10); None if the text is not a version."""
    parts = text.split(".")
    if len(parts) != 3:
        return None
    for part in parts:
        if not 0 < len(part) <= 4 or not all("0" <= digit <= "9" for digit in part):
            return None
    return tuple([int(part) for part in parts])


def _refuse(reason, name, text):
    return Decision(False, reason, KIND, text, {"load": name[:NAME_LIMIT]})
