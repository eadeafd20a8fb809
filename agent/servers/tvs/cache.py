# SPDX-License-Identifier: MIT
"""The positive answers of TVS that still hold (docs/spec/tvs.md, T12): in memory only, by certificate and role, each for
its time to live on the monotonic clock."""

from agent.trust.decision import Answer

#: How many positive answers are remembered; the one that ends first makes room.
CACHE_LIMIT = 16
#: The longest time (seconds) that a positive answer is remembered. 86400 is usual; a server that says more than a
#: week has a mistake in it, and a certificate that was taken back must not be believed for years.
TTL_LIMIT = 7 * 86400


class _Remembered:
    """A positive answer and until when it holds (ms). `name` is (issuer, serial) when it was found by them."""

    def __init__(self, name, certificate, answer, until):
        self.name = name
        self.certificate = certificate
        self.answer = answer
        self.until = until

    def fits(self, question):
        """Whether this answers the question: the same certificate, and a role that is wanted."""
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
    """Remembers Answers to Questions. clock: the HAL's."""

    def __init__(self, clock):
        self._clock = clock
        self._entries = []

    def clear(self):
        """Forget everything."""
        self._entries = []

    def forget(self, question):
        """Forget what answers this question."""
        self._entries = [entry for entry in self._entries if not entry.fits(question)]

    def recall(self, question):
        """The remembered Answer, or None. Entries whose time is over are dropped."""
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
        """Keep a positive answer for its time to live; 0 is not kept."""
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
