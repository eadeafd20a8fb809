# SPDX-License-Identifier: MIT
"""Which trust lists phones hold, as far as the lab can know: the lists that they fetched, judged by the phone's own rules.

A phone names itself when it asks for ITLSEP<MAC>.tlv; if the same address then asks for ITLFile.tlv, it is for that phone.
A phone that the lab never saw is assumed to hold the lists of the time when the cluster was made, or when the
administrator last said that all phones had been restarted.

    FOLDER/holdings*        {"since": {"itl", "ctl", "state"}, "phones": {MAC: {"itl", "ctl"}}}, lists by SHA-256;
                            "seen": {MAC: {"model", "asked"}}, what phones asked the servers for (ledger.py has the files)
    FOLDER/lists/SHA256     those lists
"""

import hashlib
import os
import re
from pathlib import Path

from host_tools.lab.model.ledger import Ledger
from host_tools.lab.writers import files

_OWN_NAME = re.compile(r"(?:CTL|ITL)?SEP([0-9A-F]{12})\.(tlv|cnf\.xml|cnf\.xml\.sgn|cnf\.xml\.enc\.sgn)")
_DEVICE = re.compile(r"CP-([A-Za-z0-9]+)-SEP([0-9A-F]{12})")
_WHAT = {"tlv": "list", "cnf.xml": "plain", "cnf.xml.sgn": "signed", "cnf.xml.enc.sgn": "encrypted"}
_OWN_LIST = re.compile(r"(CTL|ITL)SEP([0-9A-F]{12})\.tlv")
_NOTHING = {"itl": None, "ctl": None}
_REMEMBERED = 100  # lists


class Holdings:
    """The ledger in a cluster's folder."""

    def __init__(self, path):
        self.path = Path(path)
        self._ledger = Ledger(self.path, {"since": {**_NOTHING, "state": None}, "phones": {}})
        self._asking = {}  # (client host, "itl" | "ctl") -> MAC
        self._named = {}  # client host -> the MAC that it named last
        self._lists = {}  # SHA-256 -> list, for most phones hold the same ones
        self._names = {}  # and back

    def groups(self, known):
        """Phones that hold the same: [(MACs, ITL or None, CTL or None)]. `known`: the MACs that the cluster knows.

        Phones that may exist and were never seen are a group without MACs.
        """
        ledger = self._ledger.read()
        groups = {}
        for mac, held in ledger["phones"].items():
            groups.setdefault((held["itl"], held["ctl"]), []).append(mac)
        found = [
            (sorted(macs), self._list(itl), self._list(ctl)) for (itl, ctl), macs in sorted(groups.items(), key=str)
        ]
        if not ledger["phones"] or any(mac not in ledger["phones"] for mac in known):
            since = ledger["since"]
            found.append(([], self._list(since["itl"]), self._list(since["ctl"])))
        return found

    def restarted(self, state, decide):
        """All phones restart now, and each takes what its rules accept. `decide(itl, ctl)` gives the (itl, ctl) afterwards."""
        with self._ledger.change() as ledger:

            def after(held):
                itl, ctl = decide(self._list(held["itl"]), self._list(held["ctl"]))
                return {**held, "itl": self._keep(itl), "ctl": self._keep(ctl)}

            ledger["since"] = {**after(ledger["since"]), "state": state.number}
            ledger["phones"] = {mac: after(held) for mac, held in ledger["phones"].items()}

    def begin(self, state):
        """A new cluster: phones that were never seen hold its first lists."""
        published = state.published[state.data["nodes"][0]["name"]]
        with self._ledger.change() as ledger:
            ledger["since"] = {
                "itl": self._keep(published.get(files.ITL_NAME)),
                "ctl": self._keep(published.get(files.CTL_NAME)),
                "state": state.number,
            }

    def fetched(self, host, name, content, decide):
        """A phone at `host` asked for `name` and was given `content` (None: not found).

        `decide(kind, content, itl, ctl)` says whether a phone with these lists takes `content`.
        """
        own = _OWN_LIST.fullmatch(name)
        if own:
            kind, mac = own[1].lower(), own[2]
            self._asking[host, kind] = mac
        elif name in (files.ITL_NAME, files.CTL_NAME):
            kind = name[:3].lower()
            mac = self._asking.pop((host, kind), None)
        else:
            return
        if mac is None or content is None:
            return
        if self._changed(mac, kind, content, decide):  # seldom: a phone that starts anew holds the list already
            with self._ledger.locked():
                now = self._changed(mac, kind, content, decide)
                if now:
                    self._keep(content)
                    self._ledger.note("phones", mac, now)

    def _changed(self, mac, kind, content, decide):
        """The entry of a phone that is given this list; None where the list changes nothing."""
        held = self._ledger.entry("phones", mac, _NOTHING)
        now = {**held, kind: self._name(content)}
        taken = now != held and decide(kind, content, self._list(held["itl"]), self._list(held["ctl"]))
        return now if taken else None

    def asked(self, service, host, name):
        """A phone at `host` asked "tftp", "http" or "https" for `name`: note which features that shows."""
        own = _OWN_NAME.fullmatch(name)
        if own:
            self._named[host] = own[1]
            self._see(own[1], _WHAT[own[2]], *(["https"] if service == "https" else []))
        elif name.endswith((".loads", ".loads.sgn", ".sbn", ".sbn.sgn")) and host in self._named:
            self._see(self._named[host], "load")

    def asked_tvs(self, device):
        """A phone asked TVS, and named itself CP-MODEL-SEPMAC."""
        found = _DEVICE.fullmatch(device)
        if found:
            self._see(found[2], "tvs", model=found[1])

    def seen(self):
        """{MAC: {"model" (None where unknown), "asked": what it asked for}} of all phones that were seen."""
        return self._ledger.read().get("seen", {})

    def _see(self, mac, *what, model=None):
        if self._news(mac, what, model):
            with self._ledger.locked():
                now = self._news(mac, what, model)
                if now:
                    self._ledger.note("seen", mac, now)

    def _news(self, mac, what, model):
        """What was seen of a phone, with this; None where it is known already."""
        known = self._ledger.entry("seen", mac, {"model": None, "asked": []})
        now = {"model": model or known["model"], "asked": sorted({*known["asked"], *what})}
        return now if now != known else None

    def _keep(self, content):
        if content is None:
            return None
        name = self._name(content)
        (self.path / "lists").mkdir(exist_ok=True)
        if not (self.path / "lists" / name).exists():
            building = self.path / "lists" / "new"
            building.write_bytes(content)
            os.replace(building, self.path / "lists" / name)
        return name

    def _name(self, content):
        name = self._names.get(content)
        if name is None:
            name = hashlib.sha256(content).hexdigest()
            self._remember(name, content)
        return name

    def _list(self, name):
        if name is None:
            return None
        content = self._lists.get(name)
        if content is None:
            content = (self.path / "lists" / name).read_bytes()
            self._remember(name, content)
        return content

    def _remember(self, name, content):
        if len(self._lists) >= _REMEMBERED:
            self._lists, self._names = {}, {}
        self._lists[name] = content
        self._names[content] = name
