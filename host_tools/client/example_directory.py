# SPDX-License-Identifier: MIT
"""An HTTPS directory request that asks the agent about the server: python -m host_tools.client.example_directory URL

A phone's directory program works like this. TLS proves that the server has the key of the certificate that it shows. The
trust agent decides whether to believe the certificate; authorities, names and dates do not count. The program asks the agent
after the handshake, before it sends its first byte.

`corporate` or `personal` in place of URL is the directory that the phone's verified configuration names. The phone's built-in
application goes to the secure URL. A plain http URL, as releases before 8.0 need, is fetched without a decision.
Exit status: 0 the directory is printed, 1 refused, 2 no reliable answer."""

import argparse
import http.client
import ssl
import sys
import urllib.parse
from xml.etree import ElementTree

from host_tools.client.trust_client import SOCKET, AgentError, TrustClient

SERVICES = ("corporate", "personal")


class ServerRefused(Exception):
    """The agent says no; the text is its reason."""


class TrustedConnection(http.client.HTTPSConnection):
    """An HTTPS connection to an application server that the agent vouches for."""

    def __init__(self, host, port, agent, purpose="application", timeout=30):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # the agent verifies: see connect()
        context.set_ciphers(
            "DEFAULT@SECLEVEL=0"
        )  # old clusters have keys of 1024 bits; the agent knows about that, too
        super().__init__(host, port, timeout=timeout, context=context)
        self._agent = agent
        self._purpose = purpose
        self.decision = None

    def connect(self):
        """Connect, shake hands, ask the agent. Raises ServerRefused before anything was sent."""
        super().connect()
        try:
            self.decision = self._agent.judge(self._purpose, self.sock.getpeercert(binary_form=True))
            if not self.decision.accepted:
                raise ServerRefused(f"{self.decision.reason}: {self.decision.text}")
        except BaseException:
            self.close()
            raise


def directory(url, path=SOCKET, timeout=30):
    """(Decision, None where there is nothing to decide; bytes of the directory). url: an https or http URL, or one of SERVICES.

    ServerRefused, AgentError, OSError, http.client.HTTPException; ValueError: not an https or http URL."""
    with TrustClient(path, timeout) as agent:
        url = configured(agent, url) if url in SERVICES else url
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("https", "http") or not parts.hostname:
            raise ValueError(f"{url}: this is no https or http URL")
        if parts.scheme == "https":
            connection = TrustedConnection(parts.hostname, parts.port or 443, agent, timeout=timeout)
        else:
            connection = http.client.HTTPConnection(parts.hostname, parts.port or 80, timeout=timeout)
        try:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("GET", target, headers={"Accept": "text/xml"})
            response = connection.getresponse()
            if response.status != 200:
                raise http.client.HTTPException(f"{url}: the server answered {response.status}")
            return getattr(connection, "decision", None), response.read()
        finally:
            connection.close()


def configured(agent, service):
    """The URL of a directory service in the phone's configuration. ServerRefused, ValueError where there is none."""
    decision, file = agent.fetch(f"{agent.status()['device']}.cnf.xml")
    if not decision.accepted:
        raise ServerRefused(f"{decision.reason}: {decision.text}")
    root = ElementTree.parse(file).getroot()
    wanted = f"{service.title()} Directory"
    found = [each.findtext("url") for each in root.iter("phoneService") if each.findtext("name") == wanted]
    url = found[0] if found else None
    if url is not None and url.startswith("Application:"):
        url = root.findtext("secureDirectoryURL")
    if not url:
        raise ValueError(f"the phone's configuration has no URL for the {service} directory")
    return url


def main(arguments=None):
    """The program; its exit status."""
    parser = argparse.ArgumentParser(prog="example_directory", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("url", help="an https or http URL, or " + " or ".join(SERVICES))
    parser.add_argument("--socket", default=SOCKET, help="where the agent listens (%(default)s)")
    parser.add_argument("--timeout", type=float, default=30, help="seconds for each answer (%(default)s)")
    wanted = parser.parse_args(arguments)
    try:
        decision, content = directory(wanted.url, wanted.socket, wanted.timeout)
    except ServerRefused as refused:
        print(f"refused {refused}", file=sys.stderr)
        return 1
    except (AgentError, OSError, ValueError, ElementTree.ParseError, http.client.HTTPException) as error:
        print(f"failed: {error}", file=sys.stderr)
        return 2
    print(f"accepted {decision.reason}" if decision else "not judged: plain HTTP", file=sys.stderr)
    sys.stdout.write(content.decode("utf-8", "replace"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
