# SPDX-License-Identifier: MIT
"""Remembers the positive answers of TVS (docs/spec/tvs.md, T12). It keeps them in memory only, by certificate and role, each
for its time to live by the monotonic clock."""

from agent.trust.decision import Answer

#: How many positive answers are remembered. The answer that expires first makes room for a new one.
CACHE_LIMIT = 16
#: The longest time (seconds) that a positive answer is remembered. 86400 is usual. More than a week must be a mistake of
#: the server, and a certificate that the cluster has withdrawn must not be believed for years.
TTL_LIMIT = 7 * 86400


class _Remembered:
    """A positive answer. until: ms of the clock at which it expires. name: (issuer, serial number) if the question named the
    certificate by these, else None."""

    def __init__(self, name, certificate, answer, until):
        self.name = name
        self.certificate = certificate
        self.answer = answer
        self.until = until

    def fits(self, question):
        """Whether this entry answers the question: it is about the same certificate and has a role that is wanted."""
        if question.request == "query":
            if self.name != (question.issuer, bytes(question.serial)):
                return False
        elif self.certificate != question.certificate:
            return False
        for role in question.roles:
            if role in self.answer.roles:
                return True
        return False


class Cache:
    """Remembers Answers to Questions. clock: the HAL's clock."""

    def __init__(self, clock):
        self._clock = clock
        self._entries = []

    def clear(self):
        """Forget everything."""
        self._entries = []

    def forget(self, question):
        """Forget all entries that answer this question."""
        self._entries = [entry for entry in self._entries if not entry.fits(question)]

    def recall(self, question):
        """The remembered Answer to this question, or None. Expired entries are dropped."""
        now = self._clock.monotonic()
        self._entries = [entry for entry in self._entries if entry.until > now]
        for entry in self._entries:
            if entry.fits(question):
                kept = entry.answer
                seconds = (entry.until - now) // 1000
                text = f"TVS {kept.server} vouched for it, which holds for another {seconds} s"
                return Answer("valid", kept.certificate, kept.roles, kept.ttl, kept.server, text)
        return None

    def remember(self, question, answer):
        """Remember a positive answer for its time to live (seconds, at most TTL_LIMIT). Other answers, and those with a time to
        live of 0, are not remembered."""
        if answer.status != "valid" or not answer.ttl:
            return
        self.forget(question)
        if len(self._entries) >= CACHE_LIMIT:
            first = self._entries[0]
            for entry in self._entries:
                if entry.until < first.until:
                    first = entry
            self._entries.remove(first)
        name = (question.issuer, bytes(question.serial)) if question.request == "query" else None
        until = self._clock.monotonic() + min(answer.ttl, TTL_LIMIT) * 1000
        self._entries.append(_Remembered(name, answer.certificate, answer, until))
