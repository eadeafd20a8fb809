# SPDX-License-Identifier: MIT
"""Why a file did not arrive, whatever way it was asked for.

FetchError                 .reason is a code, .text one sentence, .server and .file say which, .cause why
  NotFound                 a server answered that it has no such file
  NoServer                 no server answered
  BadTransfer              a server answered and did not deliver the file
    Stalled                ... because it went silent or was too slow: it would cost the next file as much time
  TooLarge                 the file is over the limit
  BadName                  no server can be asked for a file of this name
SinkFailed                 the receiver of the file failed, and no server"""

from agent.errors import TransferError
from agent.formats.text import shown


class FetchError(TransferError):
    """A file did not arrive from a server. `server` ("192.0.2.1:69" or None), `file` and `cause` say which, what, why.
    `failures`: the errors of all servers that were asked, in order."""

    def __init__(self, server, file, cause):
        super().__init__("%s%s: %s" % (shown(file), " from %s" % server if server else "", cause))
        self.server = server
        self.file = file
        self.cause = cause
        self.failures = [self]


class NotFound(FetchError):
    """A server answered that it has no such file. That is an answer: no other server is asked."""

    reason = "not-found"


class NoServer(FetchError):
    """No server answered (or none is known, or its name has no address, or its certificate is not accepted)."""

    reason = "no-server"


class BadTransfer(FetchError):
    """A server answered, but did not deliver the file as the protocol wants it."""

    reason = "bad-transfer"


class Stalled(BadTransfer):
    """A server answered, and then went silent or was too slow."""


class TooLarge(FetchError):
    """The file is over the limit, as announced or as it came."""

    reason = "too-large"


class BadName(FetchError):
    """A name that no server can be asked for."""

    reason = "bad-name"


class SinkFailed(Exception):
    """The sink raised `error`: kept apart from the network's own errors, OSError above all."""

    def __init__(self, error):
        super().__init__(str(error))
        self.error = error


_TELLING = (
    NotFound,
    NoServer,
    Stalled,
    BadTransfer,
    TooLarge,
)  # from the least to the most telling; NotFound: by HTTPS


def most_telling(failures, name):
    """One FetchError for the `failures` (FetchErrors) of all servers and ways that were asked for `name`: of the class
    that says most, with the sentences of all in its text, and all of them in `.failures`."""
    if not failures:
        return NoServer(None, name, "no TFTP server is known")
    chosen = failures[0]
    for error in failures:
        if _TELLING.index(type(error)) > _TELLING.index(type(chosen)):
            chosen = error
    summary = type(chosen)(chosen.server, name, chosen.cause)
    summary.text = "; ".join([error.text for error in failures])
    summary.failures = failures
    return summary
