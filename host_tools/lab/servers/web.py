# SPDX-License-Identifier: MIT
"""HTTP on one connection of a stream server: the application server's directory, and configuration files on 6970/6971."""

from http.server import BaseHTTPRequestHandler
from urllib.parse import unquote

from host_tools.lab.writers.configuration import PLAIN_PATHS

DIRECTORY = b"""<?xml version="1.0" encoding="UTF-8"?>
<CiscoIPPhoneDirectory>
  <Title>Lab directory</Title>
  <Prompt>2 entries</Prompt>
  <DirectoryEntry><Name>Reception</Name><Telephone>1000</Telephone></DirectoryEntry>
  <DirectoryEntry><Name>Workshop</Name><Telephone>1001</Telephone></DirectoryEntry>
</CiscoIPPhoneDirectory>
"""


def application(path):
    """What the application server has at a path, by HTTPS or by HTTP: (content type, bytes) or None."""
    plain = [url.partition("?")[0] for url in PLAIN_PATHS.values()]
    return ("text/xml; charset=utf-8", DIRECTORY) if path in ("/", "/directory.xml", *plain) else None


def answer_stream(stream, client, find, on_request):
    """Serve GET and HEAD on one connection until the client ends it.

    `find(path)` gives (content type, bytes) or None for a path that begins with "/"; `on_request(path, found)` is called
    for each request.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        server_version = "phonetrust-lab"
        sys_version = ""

        def do_GET(self):
            path = unquote(self.path.partition("?")[0])
            found = find(path)
            on_request(path, found is not None)
            kind, content = found or ("text/plain; charset=utf-8", b"not found\n")
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_HEAD = do_GET  # noqa: N815 - the names that http.server looks for

        def log_message(self, *_details):
            """Write no log: requests are events."""

    Handler(stream, client, None)  # pyright: ignore[reportArgumentType]
