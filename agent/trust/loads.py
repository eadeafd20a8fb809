# SPDX-License-Identifier: MIT
"""May this load be installed? The rules of docs/spec/loads.md in their order; decided without I/O.

W5.  Only a configuration that a trust list verified asks for a load; without any trust, every configuration does.
W7.  Signed by a certificate of the running software's maker, and by no one else. Neither a trust list nor TVS is asked (W4).
W8.  It is for this board, of a format that this phone knows, and of the name that was asked for, inside as outside.
W9.  Not below the floor of the running software.
W10. Not the one that failed its trial last time, until another is named or a person says so.

What the name alone tells (another board, a version below the floor, the one that failed) is said before anything is fetched.
"""

from agent.errors import Malformed
from agent.formats import fit, names
from agent.trust.decision import Decision
from agent.trust.signature import KEY_BITS_MINIMUM, verifies
from agent.trust.wording import loads as wording

KIND = "load"
PREFIX = "phonetrust"
#: Reasons of a Decision about the configuration that say that a trust list verified it.
VERIFIED = ("signed-by-ctl", "signed-by-itl", "vouched-by-tvs", "from-trusted-server")
NAME_LIMIT = 64


class Software:
    """What runs: name of its load ("phonetrust-rpi3-0.2.0"), board, floor ("0.2.0"), certificates (DER) of its maker's
    image keys. ValueError: the floor is no version."""

    def __init__(self, name, board, floor, certificates):
        self.name = name
        self.board = board
        self.floor = floor
        self.certificates = list(certificates)
        if version_of(floor) is None:
            raise ValueError("the floor must be three numbers, not %r" % floor)


class LoadRules:
    """The rules for one phone. crypto: of the HAL (computation only). software: Software."""

    def __init__(self, crypto, software):
        self._crypto = crypto
        self._software = software

    def by_name(self, name, configuration, has_trust, failed):
        """Before anything is fetched. configuration: the Decision about the configuration that names the load. has_trust:
        whether trust is installed. failed: name of the load that failed its trial last, or None. A Decision that refuses,
        or None: fetch it."""
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
        """W7 and W8 as far as the header (agent.formats.header.Header) tells, before the body is written anywhere. A Decision
        that refuses, or None."""
        evidence = wording.evidence(name, header)
        if not self._signers(header):
            return Decision(False, "unknown-signer", KIND, wording.unknown_signer(name, header), evidence)
        if header.filename != name + ".sgn":
            return Decision(False, "wrong-file", KIND, wording.wrong_file(name, header), evidence)
        return None

    def by_signature(self, name, signed):
        """W7: signed: agent.formats.signedfile.SignedFile, whose header was found right. A Decision that refuses, or None."""
        header = signed.header
        for certificate, fields in self._signers(header):
            if fields.key_bits >= KEY_BITS_MINIMUM and verifies(
                self._crypto, fields.key_kind, certificate, header, signed.digest
            ):
                return None
        evidence = wording.evidence(name, header)
        return Decision(False, "bad-signature", KIND, wording.bad_signature(name, header), evidence)

    def _signers(self, header):
        """[(certificate, its fields)] of the maker's that the header names, by issuer and serial."""
        found = []
        for certificate in self._software.certificates:
            fields = self._crypto.certificate(certificate)
            if fields.serial == header.serial and names.same(header.issuer, fields.issuer) is True:
                found.append((certificate, fields))
        return found

    def by_image(self, name, read, size):
        """W8 and W9 of what is inside: read(offset, count) gives bytes of the boot image, `size` are there. A Decision that
        refuses, or None."""
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
        """Nothing is against it, and it is on the card: the Decision."""
        return Decision(
            True, "load-installed", KIND, wording.installed(name, slot), wording.evidence(name, signed.header)
        )


def confirmed(name, slot):
    """The running load passed its trial: the Decision."""
    return Decision(True, "load-confirmed", KIND, wording.confirmed(name, slot), {"load": name})


def rolled_back(why, name, running):
    """A slot was not started, or not confirmed: the Decision. why: "refused", "unconfirmed" or "fallback", as the boot loader
    says. name: of that load, None where it is not known. running: the load that runs now."""
    evidence = {"load": name, "running": running, "why": why}
    return Decision(False, "load-rolled-back", KIND, wording.rolled_back(why, name, running), evidence)


def parts_of(name):
    """A load's name -> (board, version as three numbers); (None, None) where it is no name of a load for such phones."""
    prefix, _, rest = name.partition("-")
    board, _, version = rest.rpartition("-")
    numbers = version_of(version)
    if prefix != PREFIX or not board or numbers is None or len(name) > NAME_LIMIT:
        return None, None
    return board, numbers


def version_of(text):
    """ "0.2.10" -> (0, 2, 10); None where it is something else."""
    parts = text.split(".")
    if len(parts) != 3:
        return None
    for part in parts:
        if not 0 < len(part) <= 4 or not all("0" <= digit <= "9" for digit in part):
            return None
    return tuple([int(part) for part in parts])


def _refuse(reason, name, text):
    return Decision(False, reason, KIND, text, {"load": name[:NAME_LIMIT]})
