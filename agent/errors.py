# SPDX-License-Identifier: MIT
"""The errors of the agent: a small tree, and the meaning of its branches.

PhonetrustError          every error of ours: .reason is a code, .text one sentence for a person
  Refused                bytes that must not be trusted: .reason is a code of docs/spec/rules.md
    Malformed            ... because they do not follow docs/spec/formats.md: .file, .tag, .offset, .what
      Unsupported        ... because their header says a kind of signature that this phone does not know
      RecordMismatch     ... because a record disagrees with its certificate
  TransferError          a file did not arrive (agent/fetch/errors.py has the kinds)
  SettingsError          the settings file has a mistake: names the key, the mistake and an example
  TrustLost              what was stored on flash cannot be read whole (reason `trust-lost`)
"""


class PhonetrustError(Exception):
    """An error with a reason code and one sentence that a person can act on."""

    reason = "error"

    def __init__(self, text, reason=None):
        super().__init__(text)  # Exception.__init__ is not there in MicroPython
        self.text = text
        if reason:
            self.reason = reason

    def __str__(self):
        return self.text


class Refused(PhonetrustError):
    """These bytes must not be trusted."""

    reason = "refused"


class Malformed(Refused):
    """Bytes that break the format. `tag` and `offset` say where (None where they do not apply)."""

    reason = "malformed"

    def __init__(self, what, tag=None, offset=None, file=None):
        self.what = what
        self.tag = tag
        self.offset = offset
        self.file = file
        Refused.__init__(self, what)

    def __str__(self):
        where = []
        if self.file:
            where.append(self.file)
        if self.tag is not None:
            where.append("tag %d" % self.tag)
        if self.offset is not None:
            where.append("offset %d" % self.offset)
        return "%s: %s" % (", ".join(where), self.what) if where else self.what


class Unsupported(Malformed):
    """Bytes that follow the format and are signed in a way that this phone does not know."""

    reason = "unsupported"


class RecordMismatch(Malformed):
    """A trust list record that differs from the certificate in it."""

    reason = "record-mismatch"


class TransferError(PhonetrustError):
    """A file could not be fetched."""

    reason = "bad-transfer"


class SettingsError(PhonetrustError):
    """A mistake in the settings file."""

    reason = "settings"


class TrustLost(PhonetrustError):
    """The stored state cannot be read whole. That is something else than having no trust."""

    reason = "trust-lost"
