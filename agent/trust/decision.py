# SPDX-License-Identifier: MIT
"""The words of the rules: a Decision, or a Question that only TVS can answer, and the Answer to it.

The reason codes are in agent/trust/reasons.py."""

import json

from agent.formats.text import SENTENCES_LIMIT, shown, shown_value
from agent.trust.reasons import ACCEPTED, REFUSED


class Decision:
    """One answer: accepted or refused, why, what was looked at, and the words for an administrator.

    Text in it that strangers wrote has no control characters (agent/formats/text.py).

    kind: "ctl", "itl", a file's name, or the purpose of a TLS server. evidence: a dictionary of what was looked at
    (strings, numbers, lists; ready for JSON). warnings: sentences that do not change the outcome. body: offset of the
    content of an accepted signed file. timestamp: TIMESTAMP of an accepted list or signed file, None without one."""

    def __init__(self, accepted, reason, kind, text, evidence=None, warnings=()):
        self.accepted = accepted
        self.reason = reason
        self.kind = kind
        self.text = shown(text, SENTENCES_LIMIT)
        self._evidence = shown_value(evidence) if evidence is not None else {}
        self._packed = None
        self.warnings = list(warnings)
        self.timestamp = None
        self.body = 0  # where the body of an accepted signed file starts
        self.trust_list = None  # an accepted list, until it is installed

    @property
    def evidence(self):
        """What was looked at; a copy where the decision is packed."""
        return self._evidence if self._packed is None else json.loads(self._packed)

    def pack(self):
        """Hold the evidence as one piece of text from now on: decisions are kept, and a phone has little memory."""
        if self._packed is None:
            self._packed = json.dumps(self._evidence)
            self._evidence = None

    @property
    def outcome(self):
        """ "accepted" or "refused"."""
        return ACCEPTED if self.accepted else REFUSED

    @property
    def status_message(self):
        """What a phone of the vendor would show for this among its status messages, or None."""
        from agent.trust.wording.vendor import vendor_line  # only who asks for it needs its memory

        line = vendor_line(self)
        return None if line is None else shown(line)

    def as_dict(self):
        """The decision as a dictionary for JSON."""
        return {
            "outcome": self.outcome,
            "reason": self.reason,
            "kind": shown(self.kind),
            "text": self.text,
            "status_message": self.status_message,
            "evidence": self.evidence,
            "warnings": shown_value(self.warnings),
        }

    def __repr__(self):
        return "<Decision %s %s %s>" % (self.kind, self.outcome, self.reason)


class Question:
    """A question that TVS must answer before there is a decision (docs/spec/tvs.md, T5 to T8).

    request "query": who is this signer? .subject, .issuer (text as in the file's header), .serial (bytes).
    request "verify": is this .certificate (DER) trusted, and for what?
    roles: role numbers, one of which is enough. The rest belongs to the Trust that asked."""

    accepted = None  # a Question is not a Decision: it is neither accepted nor refused

    def __init__(self, request, roles, state, subject=None, issuer=None, serial=None, certificate=None):
        self.request = request
        self.roles = roles
        self.state = state
        self.subject = subject
        self.issuer = issuer
        self.serial = serial
        self.certificate = certificate


class Answer:
    """The answer of TVS to a Question.

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
