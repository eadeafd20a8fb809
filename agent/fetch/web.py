# SPDX-License-Identifier: MIT
"""Files by HTTP and HTTPS, before TFTP, as newer phones fetch them (setting `provisioning`: "http").

The rules, in their order:
1. the servers are the TFTP servers, in the same order, at the ports `https_port` and `http_port`;
2. HTTPS is for the phone's configuration alone, and only with trust: there is nothing to know its server by else. The
   server's certificate must be one of role TFTP or CCM+TFTP, or TVS vouches for it. It is an EC one on real clusters
   [documented]; one with an RSA key that the lists hold in that role is no worse and is taken, too;
3. HTTPS that cannot be reached, or is not believed, leaves HTTP; HTTP that cannot be reached leaves TFTP. What comes is
   judged by its signature on every way;
4. that a file is not there is an answer; a server that delivers nonsense is left for the next one;
5. who could not be reached once is not waited for again in the same boot.
"""

from agent.fetch.http import get
from agent.fetch.tftp.transfer import FetchError, NoServer, NotFound, SinkFailed
from agent.servers.messages import failure_text


class Provisioning:
    """HTTP and HTTPS of one phone (agent.boot.order.Boot)."""

    def __init__(self, boot):
        self._boot = boot
        self._absent = []

    def begin(self):
        """A boot begins: everybody may be there again."""
        self._absent = []

    def fetch(self, servers, name, sink, limit):
        """(server that answered or None, None or the error). With neither, or another error than NotFound, TFTP is next.

        What the sink raises comes through."""
        failure = None
        for server in servers:
            for secure in (True, False) if self._is_configuration(name) else (False,):
                try:
                    self._fetch_from(server, secure, name, sink, limit)
                    return server, None
                except NotFound as error:
                    return server, error
                except SinkFailed as failed:
                    raise failed.error
                except FetchError as error:
                    failure = error
                    if error.cause:
                        self._boot.log(str(error))
        return None, failure

    def _is_configuration(self, name):
        return ".cnf.xml" in name and self._boot.trust.has_trust and not self._boot.trust.lost

    def _fetch_from(self, server, secure, name, sink, limit):
        boot = self._boot
        settings = boot.settings
        port = settings.https_port if secure else settings.http_port
        where = "%s:%d" % (server[0], port)
        if where in self._absent:
            raise NoServer(where, name, "")
        deadline = boot.hal.clock.monotonic() + settings.tftp_deadline
        try:
            if secure:
                stream = boot.hal.net.tls(server[0], port, settings.http_timeout, boot.identity.shown)
            else:
                stream = boot.hal.net.tcp(server[0], port, settings.http_timeout)
        except OSError as error:
            self._absent.append(where)
            raise NoServer(where, name, failure_text(error))
        except ValueError as error:
            self._absent.append(where)
            raise NoServer(where, name, "this phone's own certificate cannot be shown: %s" % error)
        try:
            if secure and not boot.judge_server("configuration", stream.peer_certificate).accepted:
                self._absent.append(where)
                raise NoServer(where, name, "its certificate is not believed")
            get(stream, boot.hal.clock, where, name, sink, limit, deadline)
        except NoServer:
            self._absent.append(where)
            raise
        finally:
            try:
                stream.close()
            except OSError:
                pass  # the file is here or it is not
