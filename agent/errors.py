# SPDX-License-Identifier: MIT
"""The errors of the agent: a small tree, and the meaning of its branches.

PhonetrustError          the base of all errors of the agent: .reason is a code, .text a sentence for a person
  Refused                bytes that must not be trusted: .reason is a code of docs/spec/rules.md
    Malformed            they do not follow docs/spec/formats.md: .file, .tag, .offset and .what say where and how
      Unsupported        their header names a kind of signature that this phone does not know
      RecordMismatch     a record disagrees with its certificate
  TransferError          a file did not arrive (agent/fetch/errors.py has the kinds)
  SettingsError          the settings file has a mistake: the text names the key, the mistake and an example
  TrustLost              the state on flash cannot be read whole (reason `trust-lost`)
"""


class PhonetrustError(Exception):
    """An error with a reason code and one sentence that a person can act on."""

    reason = "error"

    def __init__(self, text, reason=None):
        super().__init__(text)  # MicroPython has no Exception.__init__
        self.text = text
        if reason:
            self.reason = reason

    def __str__(self):
        return self.text


class Refused(PhonetrustError):
    """These bytes must not be trusted."""

    reason = "refused"


class Malformed(Refused):
    """Bytes break the format. what: words for the fault. tag, offset: the place, None if they do not apply. file: its name, or
    None."""

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
    """Bytes follow the format, but are signed in a way that this phone does not know."""

    reason = "unsupported"


class RecordMismatch(Malformed):
    """A record of a trust list disagrees with its certificate (docs/spec/formats.md, R2)."""

    reason = "record-mismatch"


class TransferError(PhonetrustError):
    """A file could not be fetched."""

    reason = "bad-transfer"


class SettingsError(PhonetrustError):
    """The settings file has a mistake."""

    reason = "settings"


class TrustLost(PhonetrustError):
    """The stored state cannot be read whole. That differs from having no trust (docs/spec/rules.md, D1)."""

    reason = "trust-lost"
