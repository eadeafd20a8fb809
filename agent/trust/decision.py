# SPDX-License-Identifier: MIT
"""What the deciding modules say: a Decision, or a Question that only TVS can answer, and the Answer to it.

The reason codes are those of docs/spec/rules.md; where a rule asks for a decision but names no code, the
ones marked (ours) are used."""

ACCEPTED = "accepted"
REFUSED = "refused"

#: reason code -> what it means in a few words (the `text` of a Decision says it about the case at hand)
REASONS = {
    # accepted
    "unchanged": "the same bytes are already installed",
    "signed-by-ctl": "signed by a certificate of the installed CTL",
    "signed-by-itl": "signed by a certificate of the installed ITL",
    "vouched-by-tvs": "the cluster's trust verification service vouches for it",
    "first-use": "the first trust list that this phone takes, believed because there was none",
    "after-rollback": "the empty ITL of a rollback is installed",
    "no-trust-list": "no trust list is installed",
    "listed-in-ctl": "the server's certificate stands in the installed CTL (ours)",
    "listed-in-itl": "the server's certificate stands in the installed ITL (ours)",
    "nonsecure": "the cluster is not in mixed mode (ours)",
    # refused
    "too-large": "over the size limit",
    "malformed": "does not follow the format",
    "record-mismatch": "a record disagrees with its certificate",
    "wrong-file": "its header names another file",
    "bad-signature": "the signature does not fit",
    "weak-key": "the key or digest is too weak",
    "tvs-refused": "the trust verification service does not vouch for it",
    "tvs-unreachable": "no trust verification service answered",
    "tvs-untrusted": "the trust verification service showed a certificate that the ITL does not have",
    "tvs-wrong-role": "the trust verification service vouches for it, but not for this use",
    "not-provisioned": "this phone takes no first trust list by itself",
    "unknown-signer": "nobody whom this phone trusts knows the signer",
    "unsigned": "not signed, and this phone has trust installed",
    "mixed-mode": "not allowed in mixed mode",
    "trust-lost": "the stored trust cannot be read whole",
    # a step of the boot that is not a judgement of bytes
    "not-found": "the server has no such file (ours)",
    "no-server": "no server answered (ours)",
    "bad-name": "no TFTP server can be asked for a file of this name (ours)",
    "bad-transfer": "a server answered, but the file did not arrive whole (ours)",
    "erased": "a person at the phone erased the trust lists (ours)",
    "no-memory": "the phone has not enough memory for it (ours)",
    "not-stored": "the flash did not take it (ours)",
    "bad-configuration": "the signed configuration cannot be understood (ours)",
    "cannot-decrypt": "the encrypted configuration is not for this phone's key (ours)",
    "no-certificate": "the configuration is encrypted, or CAPF asks for the certificate, and the phone has none (ours)",
    # what a session with CAPF came to (ours); accepted
    "installed": "the phone has a new certificate",
    "deleted": "the phone's certificate and key are deleted",
    "fetched": "CAPF was shown the phone's certificate",
    "no-action": "CAPF had nothing to do for this phone",
    # and refused; no-certificate is either, as CAPF or the configuration asked for the certificate
    "retry-later": "CAPF wants to be asked later",
    "string-needed": "CAPF wants an authentication string, which a person types in",
    "wrong-string": "CAPF does not accept the authentication string",
    "certificate-needed": "CAPF wants a certificate that the phone does not have",
    "unknown-device": "CAPF does not know this phone",
    "refused": "CAPF refused, or asked for what cannot be done",
    "interrupted": "the session broke off in the middle",
    "unreachable": "no CAPF server answered",
    "untrusted": "the CAPF server is not believed",
    "no-capf": "no configuration names a CAPF server",
}


class Decision:
    """One answer: accepted or refused, why, what was looked at, and the words for an administrator.

    kind: "ctl", "itl", a file's name, or the purpose of a TLS server. evidence: a dictionary of what was looked at
    (strings, numbers, lists; ready for JSON). warnings: sentences that do not change the outcome. body: offset of the
    content of an accepted signed file."""

    def __init__(self, accepted, reason, kind, text, evidence=None, warnings=()):
        self.accepted = accepted
        self.reason = reason
        self.kind = kind
        self.text = text
        self.evidence = evidence if evidence is not None else {}
        self.warnings = list(warnings)
        self.body = 0  # where the body of an accepted signed file starts
        self.trust_list = None  # an accepted list, until it is installed

    @property
    def outcome(self):
        """ "accepted" or "refused"."""
        return ACCEPTED if self.accepted else REFUSED

    def as_dict(self):
        """The decision as a dictionary for JSON."""
        return {
            "outcome": self.outcome,
            "reason": self.reason,
            "kind": self.kind,
            "text": self.text,
            "evidence": self.evidence,
            "warnings": self.warnings,
        }

    def __repr__(self):
        return "<Decision %s %s %s>" % (self.kind, self.outcome, self.reason)


class Question:
    """What must be asked of TVS before a decision can be made (docs/spec/tvs.md, T5 to T8).

    kind "query": who is this signer? .subject, .issuer (text as in the file's header), .serial (bytes).
    kind "verify": is this .certificate (DER) trusted, and for what?
    roles: the role numbers of which one is enough. The rest belongs to the Trust that asked."""

    accepted = None  # a Question is not a Decision: it is neither accepted nor refused

    def __init__(self, kind, roles, state, subject=None, issuer=None, serial=None, certificate=None):
        self.kind = kind
        self.roles = roles
        self.state = state
        self.subject = subject
        self.issuer = issuer
        self.serial = serial
        self.certificate = certificate


class Answer:
    """What TVS said to a Question.

    status: "valid" (vouched for, .roles and for a query .certificate), "refused" (a server said no), "unreachable" (no
    server gave an answer), "untrusted" (the server's own certificate is not in the installed lists), "unsupported"
    (the server closed the connection on QUERY_CERT). ttl in seconds. server "host:port". text: what happened."""

    def __init__(self, status, certificate=None, roles=(), ttl=0, server="", text=""):
        self.status = status
        self.certificate = certificate
        self.roles = tuple(roles)
        self.ttl = ttl
        self.server = server
        self.text = text
