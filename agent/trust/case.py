# SPDX-License-Identifier: MIT
"""What is being judged, from the first rule to the Decision: a trust list, a signed file, or a TLS server's certificate."""

from agent.trust.decision import Decision
from agent.trust.wording import judgements as wording


class Case:
    """One thing that is being judged, with all that the rules look at: header, digest, TIMESTAMP to compare with, the answer
    of TVS.

    kind: as in a Decision. header: None for a TLS server. digest: the digest of the signed bytes, or None; then
    make_digest(algorithm, data, cut) makes it from the trust_list when it is needed. previous: TIMESTAMP of the installed
    file of this kind, None if there is nothing to compare with. installed: whether a list of this kind is installed, None
    for other files. The attribute `tvs` is the Answer of TVS, or None."""

    def __init__(
        self, kind, header=None, digest=None, make_digest=None, trust_list=None, previous=None, installed=None
    ):
        self.kind = kind
        self.header = header
        self.trust_list = trust_list
        self.previous = previous
        self.installed = installed
        self.tvs = None
        self.warnings = []
        self._digest = digest
        self._make_digest = make_digest

    def digest(self):
        """The digest of the signed bytes. It is computed only once."""
        if self._digest is None:
            header = self.header
            self._digest = self._make_digest(header.digest_algorithm, self.trust_list.data, header.signature_cut)
        return self._digest

    def accept(self, reason, text):
        """The Decision that accepts this case."""
        decision = self._decision(True, reason, text)
        decision.trust_list = self.trust_list
        if self.header is not None:
            decision.body = self.header.length
            decision.timestamp = self.header.timestamp
        return decision

    def refuse(self, reason, text):
        """The Decision that refuses this case."""
        return self._decision(False, reason, text)

    def _decision(self, accepted, reason, text):
        return Decision(accepted, reason, self.kind, text, wording.evidence(self), self.warnings)
