# SPDX-License-Identifier: MIT
"""The rules: which trust lists, files and servers this phone believes (spec/phone-behaviour.md).

Trust holds what is installed and only decides. It does no I/O: where only TVS can tell, it returns a Question and is
called again with the Answer. The order of the code is the order of the rules. What it keeps, in that order:

1. A list that is too large, malformed or at odds with its own certificates is never believed.
2. A file is only believed under the name, or kind of list, that it was asked for.
3. Who is in the installed CTL, then in the installed ITL, decides with the certificate that stands there.
4. Only signers unknown to both are asked of TVS, and only of a TVS that the installed lists name.
5. Faith (first use, or after a rollback) needs a phone without CTL, and without ITL or with an empty one.
6. Lost trust is not no trust: then nothing is believed until a person erases it.
"""

from agent.errors import Refused
from agent.formats import names
from agent.formats.signedfile import SignedFile, read
from agent.formats.trustlist import SIZE_LIMIT, TrustList
from agent.trust.decision import Decision, Question
from agent.trust.wording import judgements as wording

FIRST_USE = "first-use"
PROVISIONED_ONLY = "provisioned-only"
POLICIES = (FIRST_USE, PROVISIONED_ONLY)

MIXED = "mixed"
NONSECURE = "nonsecure"

#: what a TLS server is wanted for -> the roles of which its certificate needs one
PURPOSES = {
    "application": (names.APP_SERVER,),
    "callmanager": (names.CCM, names.CCM_TFTP),
    "capf": (names.CAPF,),
    "tvs": (names.TVS,),
    "configuration": (names.CCM_TFTP, names.TFTP),
}

_LIST_SIGNER = (names.SAST,)
_ITL_SIGNER_IN_CTL = (names.SAST, names.CCM_TFTP)  # clusters with hardware tokens
_FILE_SIGNER = (names.TFTP, names.CCM_TFTP)

KEY_BITS_MINIMUM = 1024
KEY_BITS_ADVISED = 2048


class Trust:
    """The installed trust of one phone, and its answers.

    crypto: the HAL's crypto part (computation only). policy: one of POLICIES. limit: bytes of a trust list.
    refuse_weak: refuse SHA-1 and 1024-bit keys instead of warning. ctl, itl: bytes of the installed lists or None.
    lost: the stored trust could not be read. Raises Refused where an installed list cannot be read."""

    def __init__(self, crypto, policy=FIRST_USE, limit=SIZE_LIMIT, refuse_weak=False, itl=None, ctl=None, lost=False):
        self.crypto = crypto
        self.policy = policy
        self.limit = limit
        self.refuse_weak = refuse_weak
        self.lost = lost
        # What is installed was judged when it came; a limit lowered since then must not lock the phone out.
        self.ctl = TrustList(ctl, crypto, len(ctl)) if ctl is not None else None
        self.itl = TrustList(itl, crypto, len(itl)) if itl is not None else None

    # What is installed

    def install(self, kind, trust_list):
        """Put an accepted list (kind "ctl" or "itl") in place of the old one; the caller has stored it."""
        if kind == "ctl":
            self.ctl = trust_list
        else:
            self.itl = trust_list

    @property
    def mode(self):
        """ "mixed" or "nonsecure" (spec, 'Cluster security mode')."""
        decisive = self.ctl or self.itl
        mixed = decisive is not None and decisive.has_roles((names.CCM, names.CCM_TFTP))
        return MIXED if mixed else NONSECURE

    @property
    def rolled_back(self):
        """Whether the installed ITL is an empty one and no CTL is there to overrule it."""
        return self.ctl is None and self.itl is not None and self.itl.empty

    @property
    def has_trust(self):
        """Whether unsigned configuration must be refused: a CTL, or an ITL that is not empty, or trust lost."""
        return self.lost or self.ctl is not None or (self.itl is not None and not self.itl.empty)

    def tvs_certificates(self):
        """The certificates (DER) that a TVS server may show."""
        return [record.certificate for record in self._records((names.TVS,))]

    def tvs_hosts(self):
        """Host names or addresses of the TVS records, in order, for when the configuration names none."""
        hosts = []
        for record in self._records((names.TVS,)):
            host = record.host()
            if host and host not in hosts:
                hosts.append(host)
        return hosts

    def _records(self, roles):
        for trust_list in (self.itl, self.ctl):
            if trust_list is not None:
                for record in trust_list.with_roles(roles):
                    yield record

    # Trust lists

    def decide_list(self, kind, data):
        """May this trust list be installed? kind "ctl" or "itl", data: the file's bytes. A Decision or a Question.

        An accepted Decision carries the list as `.trust_list`, for install()."""
        if self.lost:
            return self._lost(kind)
        try:
            candidate = TrustList(data, self.crypto, self.limit)
        except Refused as refusal:
            return Decision(False, refusal.reason, kind, wording.unreadable(kind, refusal))
        case = _Case(kind, candidate.header, None, self.crypto.digest, candidate)
        if not is_list_name(candidate.header.filename, kind):
            return case.refuse("wrong-file", wording.wrong_file(case, kind.upper()))
        installed = self.ctl if kind == "ctl" else self.itl
        if installed is not None and installed.data == data:
            return case.accept("unchanged", wording.unchanged(case))
        found = self._by_trust(case, _ITL_SIGNER_IN_CTL if kind == "itl" else _LIST_SIGNER, _LIST_SIGNER)
        if found is not None:
            return found
        if self.ctl is None and (self.itl is None or self.itl.empty):
            return self._on_faith(case)
        return case.refuse("unknown-signer", wording.unknown_signer(case))

    def _on_faith(self, case):
        """Rule 6: there is nothing to hold the list against but itself."""
        if self.policy == PROVISIONED_ONLY:
            return case.refuse("not-provisioned", wording.not_provisioned(case))
        reason = "after-rollback" if self.itl is not None else "first-use"
        own = [(reason, case.trust_list, _LIST_SIGNER)]
        return self._by_installed(case, own) or case.refuse("bad-signature", wording.no_own_signer(case))

    # Signed files

    def decide_file(self, name, signed, limit=None):
        """May this file be used? name: what was asked for. signed: bytes, or the SignedFile of a stream.

        A name without `.sgn` asks about an unsigned file: see decide_unsigned. A Decision or a Question."""
        if not name.endswith(".sgn"):
            return self.decide_unsigned(name)
        if self.lost:
            return self._lost(name)
        if not isinstance(signed, SignedFile):
            try:
                signed = read(signed, self.crypto, self.limit if limit is None else limit)
            except Refused as refusal:
                return Decision(False, refusal.reason, name, wording.unreadable(name, refusal))
        case = _Case(name, signed.header, signed.digest, None, None)
        if signed.header.filename != name:
            return case.refuse("wrong-file", wording.wrong_file(case, name))
        found = self._by_trust(case, _FILE_SIGNER, _FILE_SIGNER)
        return found if found is not None else case.refuse("unknown-signer", wording.unknown_signer(case))

    def decide_unsigned(self, name):
        """May an unsigned file of this name be used? A Decision."""
        if self.lost:
            return self._lost(name)
        if self.has_trust:
            return Decision(False, "unsigned", name, wording.unsigned(name))
        reason = "after-rollback" if self.rolled_back else "no-trust-list"
        return Decision(True, reason, name, wording.unsigned_taken(name, reason))

    def decide_autoregistration(self, name):
        """May the default configuration be asked for, where the phone has none of its own? A Decision."""
        if self.lost:
            return self._lost(name)
        if self.mode == MIXED:
            return Decision(False, "mixed-mode", name, wording.mixed_mode(name))
        return Decision(True, "nonsecure", name, wording.autoregistration(name))

    # TLS servers

    def decide_server(self, purpose, certificate):
        """May a TLS server with this certificate (DER) be talked to? purpose: a key of PURPOSES. Decision or Question."""
        if self.lost:
            return self._lost(purpose)
        roles = PURPOSES[purpose]
        if self.ctl is not None and self.ctl.holds(certificate, roles):  # a CTL is not blanked by rollback
            return Decision(True, "listed-in-ctl", purpose, wording.server_listed(purpose, "listed-in-ctl"))
        if self.itl is not None and self.itl.empty:
            return Decision(False, "after-rollback", purpose, wording.server_after_rollback(purpose))
        if self.itl is not None and self.itl.holds(certificate, roles):
            return Decision(True, "listed-in-itl", purpose, wording.server_listed(purpose, "listed-in-itl"))
        if purpose == "tvs":
            return Decision(False, "tvs-untrusted", purpose, wording.server_unknown(purpose))
        if not self.tvs_certificates():
            reason = "unknown-signer" if self.ctl or self.itl else "no-trust-list"
            return Decision(False, reason, purpose, wording.server_unknown(purpose))
        return Question("verify", roles, _ServerCase(purpose), certificate=certificate)

    # The answers of TVS

    def answer(self, question, answer):
        """Go on with a Question after TVS was asked: a Decision, or one more Question."""
        case = question.state
        case.tvs = answer
        if answer.status == "unsupported" and question.kind == "query" and case.trust_list is not None:
            # Some servers know only CERT_VERIFICATION; a trust list carries its signer's certificate.
            own = case.trust_list.signers(case.header.issuer, case.header.serial, _LIST_SIGNER)
            if own:
                return Question("verify", question.roles, case, certificate=own[0][0].certificate)
        if answer.status != "valid":
            reason = {"refused": "tvs-refused", "untrusted": "tvs-untrusted"}.get(answer.status, "tvs-unreachable")
            return case.refuse(reason, wording.tvs(case, reason))
        if case.header is None:
            if any(role in question.roles for role in answer.roles):
                return case.accept("vouched-by-tvs", wording.tvs(case, "vouched-by-tvs"))
            return case.refuse("tvs-wrong-role", wording.tvs(case, "tvs-wrong-role"))
        certificate = answer.certificate if question.kind == "query" else question.certificate
        return self._vouched(case, question.roles, certificate)

    def _vouched(self, case, roles, certificate):
        """TVS said yes: it must be about this signer, for this use, and the certificate must verify the file."""
        try:
            fields = self.crypto.certificate(certificate)
        except (ValueError, TypeError):
            return case.refuse("tvs-refused", wording.tvs_other_certificate(case))
        issuer = names.same(case.header.issuer, fields.issuer)
        if fields.serial != case.header.serial or issuer is False:
            return case.refuse("tvs-refused", wording.tvs_other_certificate(case))
        if not any(role in roles for role in case.tvs.roles):
            return case.refuse("tvs-wrong-role", wording.tvs(case, "tvs-wrong-role"))
        weak = self._weak(case, fields.key_kind, fields.key_bits)
        if weak is not None:
            return weak
        if not self._verifies(case, certificate):
            return case.refuse("bad-signature", wording.bad_signature(case, "the certificate that TVS gave"))
        return case.accept("vouched-by-tvs", wording.tvs(case, "vouched-by-tvs"))

    # Signatures

    def _by_trust(self, case, ctl_roles, roles):
        """Rules 4 and 5: what the installed lists say of the signer, else the Question to TVS; None where neither can.

        ctl_roles: one of which a certificate of the CTL needs; roles: one of the ITL, or one that TVS vouches for."""
        known = []
        if self.ctl is not None:
            known.append(("signed-by-ctl", self.ctl, ctl_roles))
        if self.itl is not None:
            known.append(("signed-by-itl", self.itl, roles))
        decision = self._by_installed(case, known)
        if decision is None and self.tvs_certificates():
            header = case.header
            return Question("query", roles, case, header.subject, header.issuer, header.serial)
        return decision

    def _by_installed(self, case, known):
        """Rule 4: the first certificate of the lists that is the signer's decides. None where none is.

        known: [(reason, list, roles)]. One signer may stand there with several certificates of the same issuer and
        serial; any of them that verifies will do. A name that cannot be compared counts only if it verifies."""
        weak = bad = None
        for reason, trust_list, roles in known:
            for record, sure in trust_list.signers(case.header.issuer, case.header.serial, roles):
                refused = self._weak(case, record.key_kind, record.key_bits)
                if refused is not None:
                    weak = weak or (refused if sure else None)
                elif self._verifies(case, record.certificate):
                    return case.accept(reason, wording.signed(case, reason))
                elif sure:
                    bad = bad or case.refuse("bad-signature", wording.bad_signature(case, wording.PLACES[reason]))
        return weak or bad

    def _verifies(self, case, certificate):
        try:
            return self.crypto.verify(certificate, case.header.digest_algorithm, case.digest(), case.header.signature)
        except ValueError:
            return False  # a kind of key that signs no such file

    def _weak(self, case, key_kind, key_bits):
        """A refusal where the signer's key or digest is too weak, else None and a warning in the case."""
        case.warnings = []
        if key_kind == "rsa" and key_bits < KEY_BITS_MINIMUM:
            return case.refuse("weak-key", wording.weak(case, "an RSA key of %d bits" % key_bits))
        weak = []
        if key_kind == "rsa" and key_bits < KEY_BITS_ADVISED:
            weak.append("an RSA key of %d bits" % key_bits)
        if case.header.digest_algorithm == "sha1":
            weak.append("SHA-1")
        if weak and self.refuse_weak:
            return case.refuse("weak-key", wording.weak(case, " and ".join(weak)))
        case.warnings = [wording.weak_warning(what) for what in weak]
        return None

    def _lost(self, kind):
        return Decision(False, "trust-lost", kind, wording.TRUST_LOST)


class _Case:
    """One file that is being judged: its header, its digest when it is needed, and what TVS said of it."""

    def __init__(self, kind, header, digest, make_digest, trust_list):
        self.kind = kind
        self.header = header
        self.trust_list = trust_list
        self.tvs = None
        self.warnings = []
        self._digest = digest
        self._make_digest = make_digest

    def digest(self):
        """What was signed, digested; made once."""
        if self._digest is None:
            header = self.header
            self._digest = self._make_digest(header.digest_algorithm, self.trust_list.data, header.signature_cut)
        return self._digest

    def accept(self, reason, text):
        """The Decision to believe it."""
        decision = self._decision(True, reason, text)
        decision.trust_list = self.trust_list
        decision.body = self.header.length if self.header is not None else 0
        return decision

    def refuse(self, reason, text):
        """The Decision not to."""
        return self._decision(False, reason, text)

    def _decision(self, accepted, reason, text):
        return Decision(accepted, reason, self.kind, text, wording.evidence(self), self.warnings)


class _ServerCase(_Case):
    """A TLS server's certificate that is being judged."""

    def __init__(self, purpose):
        _Case.__init__(self, purpose, None, None, None, None)


def is_list_name(filename, kind):
    """Whether a FILENAME is one of a trust list of this kind: `ITLFile.tlv`, `ITLSEP<MAC>.tlv`, or the CTL's."""
    prefix = kind.upper()
    return filename.endswith(".tlv") and (filename == prefix + "File.tlv" or filename.startswith(prefix + "SEP"))
