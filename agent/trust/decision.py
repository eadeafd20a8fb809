# SPDX-License-Identifier: MIT
"""What the rules return: a Decision, or a Question that only TVS can answer. And what TVS returns: an Answer.

The reason codes are in agent/trust/reasons.py."""

import json

from agent.formats.text import SENTENCES_LIMIT, shown, shown_value
from agent.trust.reasons import ACCEPTED, REFUSED


class Decision:
    """One decision: accepted or refused, the reason, what was looked at, and a sentence for an administrator.

    Control characters in text that strangers wrote are replaced (agent/formats/text.py).

    accepted: bool. reason: a code of agent/trust/reasons.py. kind: "ctl", "itl", a file's name, the purpose of a TLS
    server, or another word for a step that judges no file. text: the sentence. evidence: a dictionary of what was looked
    at (strings, numbers, lists; ready for JSON). warnings: sentences that do not change the outcome. body: the offset of
    the content of an accepted signed file. timestamp: TIMESTAMP of an accepted list or signed file, or None."""

    def __init__(self, accepted, reason, kind, text, evidence=None, warnings=()):
        self.accepted = accepted
        self.reason = reason
        self.kind = kind
        self.text = shown(text, SENTENCES_LIMIT)
        self._evidence = shown_value(evidence) if evidence is not None else {}
        self._packed = None
        self.warnings = list(warnings)
        self.timestamp = None
        self.body = 0
        self.trust_list = None  # the accepted list, until the Decision is recorded

    @property
    def evidence(self):
        """What was looked at. A packed decision returns a copy."""
        return self._evidence if self._packed is None else json.loads(self._packed)

    def pack(self):
        """Hold the evidence as one text from now on. The phone keeps its last decisions and has little memory."""
        if self._packed is None:
            self._packed = json.dumps(self._evidence)
            self._evidence = None

    @property
    def outcome(self):
        """ "accepted" or "refused"."""
        return ACCEPTED if self.accepted else REFUSED

    @property
    def status_message(self):
        """The line that a phone of the vendor would show for this among its status messages, or None."""
        from agent.trust.wording.vendor import vendor_line  # imported late: many phones never need it in memory

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

    request "query" asks for the signer's certificate by .subject, .issuer (text as in the file's header) and .serial (bytes).
    request "verify" asks whether .certificate (DER) is trusted, and in which roles.
    roles: the numbers of the roles that fit; one of them is enough. state belongs to the Trust that asked."""

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

    status: "valid" (TVS vouches for .certificate, DER, in the roles .roles), "refused" (a server said no), "unreachable" (no
    server gave an answer), "untrusted" (the server's own certificate is not in the installed lists), "unsupported" (the
    server closed the connection on QUERY_CERT). ttl: seconds. server: "host:port". text: words for what happened."""

    def __init__(self, status, certificate=None, roles=(), ttl=0, server="", text=""):
        self.status = status
        self.certificate = certificate
        self.roles = tuple(roles)
        self.ttl = ttl
        self.server = server
        self.text = text
