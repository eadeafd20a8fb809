# SPDX-License-Identifier: MIT
"""The errors that say why a file did not arrive, for TFTP, HTTP and HTTPS alike.

FetchError                 .reason is a code, .text a sentence; .server, .file and .cause are the parts of that sentence
  NotFound                 a server answered that it has no such file
  NoServer                 no server answered
  BadTransfer              a server answered and did not deliver the file
    Stalled                the server went silent or was too slow; it would cost the next file as much time
  TooLarge                 the file is over the limit
  BadName                  no server can be asked for a file of this name
SinkFailed                 the receiver of the file failed; the server did nothing wrong"""

from agent.errors import TransferError
from agent.formats.text import shown


class FetchError(TransferError):
    """A file did not arrive. server: "192.0.2.1:69", or None where no server was asked. file: its name. cause: a few words
    that say why. failures: the errors of all servers that were asked, in order."""

    def __init__(self, server, file, cause):
        super().__init__("%s%s: %s" % (shown(file), " from %s" % server if server else "", cause))
        self.server = server
        self.file = file
        self.cause = cause
        self.failures = [self]


class NotFound(FetchError):
    """A server answered that it has no such file. Over TFTP and HTTP that is an answer, and no other server is asked."""

    reason = "not-found"


class NoServer(FetchError):
    """No server answered. Also: no server is known, its name has no address, or its certificate is not accepted."""

    reason = "no-server"


class BadTransfer(FetchError):
    """A server answered, but did not deliver the whole file as the protocol demands."""

    reason = "bad-transfer"


class Stalled(BadTransfer):
    """A server answered, and then went silent or was too slow."""


class TooLarge(FetchError):
    """The file is over the limit: the server announced or sent too many bytes."""

    reason = "too-large"


class BadName(FetchError):
    """No server can be asked for this name; `.cause` says why."""

    reason = "bad-name"


class SinkFailed(Exception):
    """The sink raised `error`. The wrapper keeps it apart from errors of the network, since both may be OSErrors."""

    def __init__(self, error):
        super().__init__(str(error))
        self.error = error


#: From the class that says least to the class that says most. A NotFound in a list of failures came by HTTPS.
_TELLING = (NotFound, NoServer, Stalled, BadTransfer, TooLarge)


def most_telling(failures, name):
    """One FetchError that sums up `failures`, the FetchErrors of all servers and ways that were asked for `name`. Its class
    is the one that says most, its `.text` joins their sentences, and `.failures` holds them all."""
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
