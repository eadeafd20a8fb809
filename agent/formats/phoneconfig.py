# SPDX-License-Identifier: MIT
"""The few settings that the trust agent reads from a phone's configuration (docs/spec/formats.md, V1 to V3).

The phone's other programs read the rest of the file."""

from agent.formats.text import shown
from agent.formats.xml import elements

#: How many TVS servers are read at most (V1).
TVS_LIMIT = 5
#: How many CAPF servers are read at most (V2).
CAPF_LIMIT = 5
#: Ports where a configuration names no other (docs/spec/tvs.md, T9; docs/spec/capf.md).
TVS_PORT = 2445
CAPF_PORT = 3804
HOST_LIMIT = 255  # characters; names in the DNS have no more
NOTES_LIMIT = 8

_MEMBER = "TVS/members/member"
_CAPF = "capfList/capf"


class PhoneConfig:
    """The settings that were read. tvs: [(host, port)], the lowest priority number first, at most 5. capf: [(host, port)], at
    most 5. capf_auth_mode: 0 to 4, or None. encrypted: whether the real configuration is the `.enc.sgn` file. full: whether
    this is the whole configuration. load: the name of the load that the phone should run, "" if none is named. load_server:
    text of the server that has the load, "" for the TFTP servers. certificate_hash: text. notes:
    sentences about values that were ignored."""

    def __init__(self, data, start=0, end=None):
        """Read data[start:end] (bytes or bytearray). Raises Malformed if the markup is not well-formed; its offset counts from
        `start`."""
        self.tvs = []
        self.capf = []
        self.capf_auth_mode = None
        self.encrypted = False
        self.full = True
        self.certificate_hash = ""
        self.load = ""
        self.load_server = ""
        self.notes = []
        members = []
        member = capf = None
        for path, attributes, text in elements(data, start, end):
            if text is None:  # an element starts
                if path == _MEMBER:
                    member = [_number(attributes.get("priority", "0")), len(members), None, TVS_PORT]
                elif path == _CAPF:
                    capf = [None, CAPF_PORT]
            elif path == _MEMBER and member is not None:
                if len(members) < 64:  # a bound for memory; a cluster writes at most 5
                    members.append(member)
                member = None
            elif path == _CAPF and capf is not None:
                if capf[0] and capf[1] and tuple(capf) not in self.capf and len(self.capf) < CAPF_LIMIT:
                    self.capf.append((capf[0], capf[1]))
                capf = None
            elif member is not None and path == _MEMBER + "/address":
                member[2] = self._host(text, path)
            elif member is not None and path == _MEMBER + "/port":
                member[3] = self._port(text, path)
            elif capf is not None and path == _CAPF + "/processNodeName":
                capf[0] = self._host(text, path)
            elif capf is not None and path == _CAPF + "/phonePort":
                capf[1] = self._port(text, path)
            else:
                self._setting(path, text)
        members.sort(
            key=lambda found: (found[0] is None, found[0] or 0, found[1])
        )  # members without a number come last
        for _, _, host, port in members:
            if host and port and (host, port) not in self.tvs and len(self.tvs) < TVS_LIMIT:
                self.tvs.append((host, port))

    def _setting(self, path, text):
        if path == "fullConfig":
            self.full = text.lower() != "false"
        elif path == "encrConfig":
            self.encrypted = text.lower() == "true"
        elif path == "loadInformation":
            self.load = self._text(text, path)
        elif path == "loadServer":
            self.load_server = self._text(text, path)
        elif path == "certHash":
            self.certificate_hash = text
        elif path == "capfAuthMode":
            self.capf_auth_mode = self._choice(text, path, 0, 4)

    def _choice(self, text, path, low, high):
        number = _number(text)
        if number is None or not low <= number <= high:
            self._note("%s is '%s', not %d to %d; it was ignored." % (path, text[:32], low, high))
            return None
        return number

    def _text(self, text, path):
        text = text.strip()
        if len(text) > HOST_LIMIT:
            self._note("%s has over %d characters; it was ignored." % (path, HOST_LIMIT))
            return ""
        return text

    def _host(self, text, path):
        if len(text) > HOST_LIMIT:
            self._note("%s is not a host; it was ignored." % path)
            return None
        return text

    def _note(self, note):
        note = shown(note)
        if note not in self.notes and len(self.notes) < NOTES_LIMIT:
            self.notes.append(note)

    def _port(self, text, path):
        return self._choice(text, path, 1, 65535)


def _number(text):
    text = text.strip()
    if not text or len(text) > 9 or not all("0" <= letter <= "9" for letter in text):
        return None
    return int(text)
