# SPDX-License-Identifier: MIT
"""The rules: which trust lists, files and servers this phone believes (docs/spec/rules.md; the codes are its numbers).

Trust holds the installed lists and only decides. It does no I/O: if only TVS can tell, it returns a Question and is called
again with the Answer. The order of the code is the order of the rules:

L1. The phone refuses a list that is too large, is malformed, or disagrees with its own certificates.
L2. A list must be of the kind that its name says, and must have the cluster's name for it or this phone's own name.
L3. A list that is installed already is accepted as unchanged.
L4. If the installed CTL, or else the installed ITL, has the signer, the certificate there decides; then the age counts.
L5. If neither list has the signer, TVS is asked, but only a TVS server that the lists name.
L6. A list is taken on faith (first use, or after a rollback) only without a CTL, and without an ITL or with an empty ITL.
L7. A list of any other signer is refused.
D1. Lost trust differs from no trust: nothing is believed until a person erases the store.
"""

from agent.errors import Refused
from agent.formats import names
from agent.formats.signedfile import SignedFile, looks_signed, read
from agent.formats.trustlist import SIZE_LIMIT, TrustList
from agent.trust.age import WARN, judge_age
from agent.trust.case import Case
from agent.trust.decision import Decision, Question
from agent.trust.signature import Signatures
from agent.trust.wording import judgements as wording

FIRST_USE = "first-use"
PROVISIONED_ONLY = "provisioned-only"
POLICIES = (FIRST_USE, PROVISIONED_ONLY)

MIXED = "mixed"
NONSECURE = "nonsecure"

#: The purpose of a TLS server -> the roles that fit. The server's certificate needs one of them (docs/spec/rules.md, S1).
PURPOSES = {
    "application": (names.APP_SERVER,),
    "callmanager": (names.CCM, names.CCM_TFTP),
    "capf": (names.CAPF,),
    "tvs": (names.TVS,),
    "configuration": (names.CCM_TFTP, names.TFTP),
}

_LIST_SIGNER = (names.SAST,)
_ITL_SIGNER_IN_CTL = (names.SAST, names.CCM_TFTP)  # clusters with hardware tokens sign so (L4)
_FILE_SIGNER = (names.TFTP, names.CCM_TFTP)

#: From this SIGNERVERSION of the ITL on, the phone asks for its configuration by HTTPS (docs/spec/http.md, H2).
_EC_SUPPORT = (1, 1)


class Trust:
    """The installed trust of one phone, and the rules that decide with it.

    crypto: the HAL's crypto part (computation only). policy: one of POLICIES. limit: bytes of a trust list. refuse_weak:
    refuse SHA-1 and 1024-bit keys instead of warning. itl, ctl: the installed lists, each a TrustList, bytes or None. lost:
    whether the stored trust could not be read. replay: one of agent.trust.age.REPLAYS. device: "SEP<MAC>" of this phone,
    after which its own lists are named; None allows the name of any phone. Raises Refused if an installed list cannot be
    read."""

    def __init__(
        self,
        crypto,
        policy=FIRST_USE,
        limit=SIZE_LIMIT,
        refuse_weak=False,
        itl=None,
        ctl=None,
        lost=False,
        replay=WARN,
        device=None,
    ):
        self.crypto = crypto
        self.policy = policy
        self.limit = limit
        self.lost = lost
        self.replay = replay
        self.device = device
        self._signatures = Signatures(crypto, refuse_weak)
        self.ctl = _installed(ctl, crypto)
        self.itl = _installed(itl, crypto)

    # What is installed

    def install(self, kind, trust_list):
        """Put an accepted list (kind "ctl" or "itl") in the place of the old one. The caller has stored it already."""
        if kind == "ctl":
            self.ctl = trust_list
        else:
            self.itl = trust_list

    @property
    def mode(self):
        """ "mixed" or "nonsecure" (M1)."""
        decisive = self.ctl or self.itl
        mixed = decisive is not None and decisive.has_roles((names.CCM, names.CCM_TFTP))
        return MIXED if mixed else NONSECURE

    @property
    def rolled_back(self):
        """Whether the installed ITL is empty and no CTL is installed, which would overrule it (L8)."""
        return self.ctl is None and self.itl is not None and self.itl.empty

    @property
    def has_trust(self):
        """Whether the phone asks for signed files: it has a CTL or an ITL that is not empty, or its trust is lost."""
        return self.lost or self.ctl is not None or (self.itl is not None and not self.itl.empty)

    @property
    def names_file_signer(self):
        """Whether CTL or ITL has a certificate that may sign files (U2)."""
        for _ in self._records(_FILE_SIGNER):
            return True
        return False

    @property
    def configuration_by_https(self):
        """Whether the phone asks for its configuration by HTTPS first: the installed ITL announces EC certificates
        (docs/spec/http.md, H2)."""
        version = self.itl.header.signer_version if self.itl is not None and not self.itl.empty else None
        return version is not None and version >= _EC_SUPPORT

    def tvs_certificates(self):
        """The certificates (DER) that a TVS server may show."""
        return [record.certificate for record in self._records((names.TVS,))]

    def tvs_hosts(self):
        """The host names or addresses in the TVS records of ITL and CTL, in order, each once (docs/spec/tvs.md, T9)."""
        hosts = []
        for record in self._records((names.TVS,)):
            host = record.host()
            if host and host not in hosts:
                hosts.append(host)
        return hosts

    def certificates(self, purpose):
        """Yields the certificates (DER) that CTL and ITL have for a key of PURPOSES, each once. An empty ITL has none (S3)."""
        seen = []  # digests, because the certificates of a large list take 40 KB
        blank = self.itl is not None and self.itl.empty
        for trust_list in (self.ctl, None if blank else self.itl):
            for record in trust_list.with_roles(PURPOSES[purpose]) if trust_list is not None else ():
                certificate = record.certificate
                digest = self.crypto.digest("sha256", certificate)
                if digest not in seen:
                    seen.append(digest)
                    yield certificate

    def _records(self, roles):
        for trust_list in (self.itl, self.ctl):
            if trust_list is not None:
                for record in trust_list.with_roles(roles):
                    yield record

    # Trust lists

    def decide_list(self, kind, data):
        """May this trust list be installed? kind: "ctl" or "itl". data: the file's bytes. Returns a Decision or a Question.

        An accepted Decision has the list as `.trust_list`, for install()."""
        if self.lost:
            return self._lost(kind)
        try:
            candidate = TrustList(data, self.crypto, self.limit)  # L1
        except Refused as refusal:
            return Decision(False, refusal.reason, kind, wording.unreadable(kind, refusal))
        installed = self.ctl if kind == "ctl" else self.itl
        previous = installed.header.timestamp if installed is not None else None
        case = Case(kind, candidate.header, None, self.crypto.digest, candidate, previous, installed is not None)
        if not is_list_name(candidate.header.filename, kind, self.device):  # L2
            return case.refuse("wrong-file", wording.wrong_file(case, kind.upper()))
        if installed is not None and installed.is_same(data):  # L3
            return case.accept("unchanged", wording.unchanged(case))
        found = self._by_trust(case, _ITL_SIGNER_IN_CTL if kind == "itl" else _LIST_SIGNER, _LIST_SIGNER)
        if found is not None:
            return found
        if self.ctl is None and (self.itl is None or self.itl.empty):
            return self._on_faith(case)
        return case.refuse("unknown-signer", wording.unknown_signer(case))  # L7

    def _on_faith(self, case):
        """L6: the list's own SAST record decides."""
        if self.policy == PROVISIONED_ONLY:
            return case.refuse("not-provisioned", wording.not_provisioned(case))
        reason = "after-rollback" if self.itl is not None else "first-use"
        decision = self._signatures.judge(case, [(reason, case.trust_list, _LIST_SIGNER)])
        if decision is None:
            return case.refuse("bad-signature", wording.no_own_signer(case))
        return judge_age(case, decision, self.replay)

    # Files

    def decide_file(self, name, signed, limit=None, previous=None):
        """May this file be used? name: the name that the phone asked for. signed: bytes, or the SignedFile of a stream. limit:
        bytes; None means the limit of a trust list. previous: TIMESTAMP of the last verified configuration of this name, or
        None if the age does not count. A name without `.sgn` means an unsigned file: see decide_unsigned. Returns a Decision
        or a Question."""
        if not name.endswith(".sgn"):
            return self.decide_unsigned(name)
        if self.lost:
            return self._lost(name)
        if not isinstance(signed, SignedFile):
            try:
                signed = read(signed, self.crypto, self.limit if limit is None else limit)
            except Refused as refusal:
                return Decision(False, refusal.reason, name, wording.unreadable(name, refusal))
        case = Case(name, signed.header, signed.digest, previous=previous)
        if signed.header.filename != name:  # F3
            return case.refuse("wrong-file", wording.wrong_file(case, name))
        found = self._by_trust(case, _FILE_SIGNER, _FILE_SIGNER)
        return found if found is not None else case.refuse("unknown-signer", wording.unknown_signer(case))

    def decide_unsigned(self, name, server=None):
        """May an unsigned file of this name be used? server: the Decision about the HTTPS server that sent it, None for every
        other way. Returns a Decision."""
        if self.lost:
            return self._lost(name)
        reason = None
        warnings = ()
        if not self.has_trust:  # U1
            reason = "after-rollback" if self.rolled_back else "no-trust-list"
        elif server is not None and server.accepted and server.kind == "configuration":  # U3
            reason = "from-trusted-server"
        elif not self.names_file_signer:  # U2
            reason = "no-file-signer"
            warnings = (wording.NO_FILE_SIGNER_WARNING,)
        if reason is None:  # U4
            return Decision(False, "unsigned", name, wording.unsigned(name))
        return Decision(True, reason, name, wording.unsigned_taken(name, reason), None, warnings)

    def decide_body(self, name, data, server, limit=None, previous=None):
        """May the body of an HTTPS answer be used? Such servers answer the signed name with the unsigned file; a body that is
        signed is judged by its signature (docs/spec/http.md, H4). server: the Decision about the server. The other arguments
        and the result are those of decide_file."""
        if looks_signed(data):
            return self.decide_file(name, data, limit, previous)
        return self.decide_unsigned(name, server)

    def decide_autoregistration(self, name):
        """May the phone ask for the default configuration `name`, since the server has none for this phone? (B5) A Decision."""
        if self.lost:
            return self._lost(name)
        if self.mode == MIXED:
            return Decision(False, "mixed-mode", name, wording.mixed_mode(name))
        return Decision(True, "nonsecure", name, wording.autoregistration(name))

    # TLS servers

    def decide_server(self, purpose, certificate):
        """May the phone talk to a TLS server with this certificate (DER)? purpose: a key of PURPOSES. Returns a Decision or a
        Question."""
        if self.lost:
            return self._lost(purpose)
        roles = PURPOSES[purpose]
        in_ctl = self.ctl is not None and self.ctl.holds(certificate, roles)
        if not in_ctl and self.itl is not None and self.itl.empty:  # S3; a rollback does not blank a CTL (L8)
            return Decision(False, "after-rollback", purpose, wording.server_after_rollback(purpose))
        if purpose == "configuration" and not self._is_ec(certificate):
            return Decision(False, "wrong-key", purpose, wording.server_not_ec(purpose))
        if in_ctl:
            return Decision(True, "listed-in-ctl", purpose, wording.server_listed(purpose, "listed-in-ctl"))
        if self.itl is not None and self.itl.holds(certificate, roles):
            return Decision(True, "listed-in-itl", purpose, wording.server_listed(purpose, "listed-in-itl"))
        if purpose == "tvs":
            return Decision(False, "tvs-untrusted", purpose, wording.server_unknown(purpose))
        if not self.tvs_certificates():
            reason = "unknown-signer" if self.ctl or self.itl else "no-trust-list"
            return Decision(False, reason, purpose, wording.server_unknown(purpose))
        return Question("verify", roles, Case(purpose), certificate=certificate)

    def _is_ec(self, certificate):
        try:
            return self.crypto.certificate(certificate).key_kind == "ec"
        except ValueError:
            return False

    # The answers of TVS

    def answer(self, question, answer):
        """Go on with a Question after TVS has answered it. Returns a Decision, or another Question."""
        case = question.state
        case.tvs = answer
        if answer.status == "unsupported" and question.request == "query" and case.trust_list is not None:
            # Some servers know only CERT_VERIFICATION. A trust list carries its signer's certificate (docs/spec/tvs.md, T7).
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
        certificate = answer.certificate if question.request == "query" else question.certificate
        return judge_age(case, self._vouched(case, question.roles, certificate), self.replay)

    def _vouched(self, case, roles, certificate):
        """TVS said yes. The certificate must be this signer's, have a role that fits, and verify the file. A Decision."""
        try:
            fields = self.crypto.certificate(certificate)
        except (ValueError, TypeError):
            return case.refuse("tvs-refused", wording.tvs_other_certificate(case))
        issuer = names.same(case.header.issuer, fields.issuer)
        if fields.serial != case.header.serial or issuer is False:
            return case.refuse("tvs-refused", wording.tvs_other_certificate(case))
        if not any(role in roles for role in case.tvs.roles):
            return case.refuse("tvs-wrong-role", wording.tvs(case, "tvs-wrong-role"))
        weak = self._signatures.weak(case, fields.key_kind, fields.key_bits)
        if weak is not None:
            return weak
        if not self._signatures.verify(case, fields.key_kind, certificate):
            return case.refuse("bad-signature", wording.bad_signature(case, "the certificate that TVS gave"))
        return case.accept("vouched-by-tvs", wording.tvs(case, "vouched-by-tvs"))

    def _by_trust(self, case, ctl_roles, roles):
        """L4 and L5: the Decision by a certificate of the installed lists, else a Question to TVS, or None if no TVS can be
        asked. ctl_roles: the roles that fit in the CTL. roles: those that fit in the ITL and in an answer of TVS."""
        known = []
        if self.ctl is not None:
            known.append(("signed-by-ctl", self.ctl, ctl_roles))
        if self.itl is not None:
            known.append(("signed-by-itl", self.itl, roles))
        decision = self._signatures.judge(case, known)
        if decision is not None:
            return judge_age(case, decision, self.replay)
        if self.tvs_certificates():
            header = case.header
            return Question("query", roles, case, header.subject, header.issuer, header.serial)
        return None

    def _lost(self, kind):
        return Decision(False, "trust-lost", kind, wording.TRUST_LOST)


def _installed(found, crypto):
    """An installed list from its bytes. It has no size limit here: it was judged when it came, and a limit that was lowered
    since then must not lock the phone out."""
    if found is None or isinstance(found, TrustList):
        return found
    return TrustList(found, crypto, len(found))


def is_list_name(filename, kind, device=None):
    """Whether FILENAME is a name of a trust list of this kind: `ITLFile.tlv`, or a phone's own `ITLSEP<MAC>.tlv`; the same
    with CTL. device: "SEP<MAC>" of the only phone whose name fits; None allows any phone's."""
    prefix = kind.upper()
    if filename == prefix + "File.tlv":
        return True
    if device is not None:
        return filename == "%s%s.tlv" % (prefix, device)
    digits = filename[len(prefix) + 3 : -4]
    is_mac = len(digits) == 12 and all([digit in "0123456789ABCDEF" for digit in digits])
    return is_mac and filename == "%sSEP%s.tlv" % (prefix, digits)
