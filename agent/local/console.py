# SPDX-License-Identifier: MIT
"""The console for the person at the phone: a menu in the words of a phone, and the same as one-line commands for scripts.

There is no shell behind it. Every command that changes something is logged, and erasing asks twice."""

from agent.local.json_pieces import pieces

_HELP = (
    ("show itl | ctl", "the installed list: signer, serial, checksums, records"),
    ("show lsc", "the phone's own certificate: subject, issuer, serial, last day, key"),
    ("show load", "the phone's own software: the load that runs, the configured load, the load that failed"),
    ("show security", "mode, state, TVS servers, policy"),
    ("show status", "the whole status, as one line of JSON"),
    ("show messages", "the last decisions, oldest first"),
    ("update lsc [STRING]", "ask CAPF what it has for this phone, with the authentication string if CAPF wants it"),
    ("retry load", "try the load that failed its trial once more, if the configuration still names it"),
    ("restart", "fetch lists and configuration again"),
    ("reset", "restart the whole phone"),
    ("erase itl | ctl | all", "remove a trust list, or everything; asks twice, or: erase itl yes yes"),
    ("menu", "open the menu; a number chooses, 0 goes back"),
    ("help", "this list"),
)

#: Menu -> its items: (text, the menu that it opens, or "=" and the command that it runs).
_MENUS = {
    "Settings": (
        ("Security", "Security"),
        ("Software", "=show load"),
        ("Status messages", "=show messages"),
        ("Restart", "=restart"),
        ("Reset", "=reset"),
    ),
    "Security": (
        ("Trust List", "Trust List"),
        ("LSC", "LSC"),
        ("Security Configuration", "=show security"),
        ("Erase trust lists", "=erase all"),
    ),
    "Trust List": (("CTL", "=show ctl"), ("ITL", "=show itl")),
    "LSC": (("Show", "=show lsc"), ("Update", "=update lsc")),
}
_TOP = "Settings"
_PARENTS = {"Security": "Settings", "Trust List": "Security", "LSC": "Security"}
_WHAT = {
    "itl": "the ITL",
    "ctl": "the CTL",
    "all": "all trust lists, the configuration and the phone's own certificate",
}
_LINE_LIMIT = 200


class Console:
    """The console. view: agent.local.status.View. do: the actions that a person may take (agent.main.Wishes). write(text): writes
    to the console."""

    def __init__(self, view, do, write):
        self._view = view
        self._do = do
        self._write = write
        self._menu = None
        self._erasing = None  # the part that will be erased, while the person is asked
        self._confirmed = 0
        self._asking_string = False

    async def command(self, line):
        """Run a line that a person or a script typed."""
        typed = line[:_LINE_LIMIT].strip()
        if self._asking_string:
            self._asking_string = False
            self._update(typed)
            return
        words = typed.lower().split()
        if self._erasing:
            await self._confirm(words)
            return
        if words[:2] == ["update", "lsc"] and len(words) == 3:
            self._update(typed.split()[2])  # not `words`, because a string may have capital letters
            return
        if self._menu and words and all("0" <= digit <= "9" for digit in words[0]):
            await self._choose(int(words[0]))
            return
        if words:
            await self._run(words)

    async def _run(self, words):
        verb, rest = words[0], words[1:]
        if verb == "help" or verb == "?":
            self._lines(["%-22s %s" % entry for entry in _HELP])
        elif verb == "menu":
            self._open(_TOP)
        elif verb == "show" and rest == ["status"]:
            for piece in pieces(self._view.status()):
                self._write(piece)
            self._write("\n")
        elif verb == "show" and rest and rest[0] in _SHOW:
            self._lines(_SHOW[rest[0]](self._view))
        elif verb == "restart" and not rest:
            self._do.restart()
        elif verb == "retry" and rest == ["load"]:
            if not self._do.retry_load():
                self._lines(["No load has failed its trial."])
        elif verb == "reset" and not rest:
            self._do.reset()
        elif verb == "update" and rest == ["lsc"]:
            if self._do.wants_string:
                self._asking_string = True
                self._lines(["Type the authentication string that the administrator gave you; an empty line gives up."])
            else:
                self._do.update_lsc()
        elif verb == "erase" and rest and rest[0] in _WHAT:
            self._erasing, self._confirmed = rest[0], 0
            for word in rest[1:] or [None]:
                if self._erasing:
                    await self._confirm([word] if word else None)
        else:
            self._lines(["'%s' is not a command; help lists them." % " ".join(words)[:60]])

    async def _confirm(self, words):
        """Take an answer and ask again; None asks for the first time. Only two answers of yes erase."""
        if words is not None:
            if words != ["yes"]:
                self._erasing = None
                self._lines(["Nothing was erased."])
                return
            self._confirmed += 1
        if self._confirmed == 2:
            what, self._erasing = self._erasing, None
            await self._do.erase(what)
        elif self._confirmed == 1:
            self._lines(["The phone will believe the next list that it is offered. Really? Type yes once more."])
        else:
            self._lines(["Erase %s? Type yes." % _WHAT[self._erasing]])

    def _update(self, string):
        """Ask CAPF with this authentication string; an empty string gives up. The log will have the outcome."""
        if string:
            self._do.update_lsc(string)
        else:
            self._lines(["CAPF was not asked."])

    def _open(self, menu):
        self._menu = menu
        path = menu
        while menu in _PARENTS:
            menu = _PARENTS[menu]
            path = menu + " > " + path
        lines = [path]
        for number, item in enumerate(_MENUS[self._menu]):
            lines.append("%3d  %s" % (number + 1, item[0]))
        lines.append("  0  %s" % ("Back" if self._menu in _PARENTS else "Leave the menu"))
        self._lines(lines)

    async def _choose(self, number):
        items = _MENUS[self._menu]
        if number == 0:
            self._menu = _PARENTS.get(self._menu)
            if self._menu:
                self._open(self._menu)
        elif number <= len(items):
            target = items[number - 1][1]
            if target[0] == "=":
                await self._run(target[1:].split())
            else:
                self._open(target)
        else:
            self._lines(["There is no %d here." % number])

    def _lines(self, lines):
        for line in lines:
            self._write(line + "\n")


def _show_list(kind):
    def show(view):
        installed = view.trusted()["installed"][kind]
        if installed is None:
            return ["%s: not installed" % kind.upper()]
        lines = [
            "%s: %s, %d bytes" % (kind.upper(), installed["filename"], installed["bytes"]),
            "  signer   %s" % installed["signer"]["subject"],
            "  serial   %s" % installed["signer"]["serial"],
            "  SHA-1    %s" % installed["sha1"],
            "  SHA-256  %s" % installed["sha256"],
        ]
        if installed["empty"]:
            lines.append("  empty: prepared for rollback")
        for role in sorted(installed["records"]):
            for subject in installed["records"][role]:
                lines.append("  %-10s %s" % (role, subject or "(no certificate)"))
        return lines

    return show


def _show_lsc(view):
    found = view.status()
    lsc, mic = found["lsc"], "installed" if found["mic"] else "not installed"
    if lsc is None:
        return ["LSC: not installed", "MIC: %s" % mic]
    return [
        "LSC: installed",
        "  subject  %s" % lsc["subject"],
        "  issuer   %s" % lsc["issuer"],
        "  serial   %s" % lsc["serial"],
        "  until    %s-%s-%s" % (lsc["not_after"][:4], lsc["not_after"][4:6], lsc["not_after"][6:8]),
        "  key      %s bits" % lsc["key"],
        "MIC: %s" % mic,
    ]


def _show_load(view):
    found = view.load()
    if found is None:
        return ["This phone cannot replace its software."]
    return [
        "Load         %s%s" % (found["name"], ", on trial" if found["trial"] else ""),
        "Slot         %s, boot %s" % (found["slot"], found["boot"]),
        "Configured   %s" % (found["wanted"] or "none"),
        "Failed       %s" % (found["failed"] or "none"),
        "Oldest taken %s" % found["floor"],
    ]


def _show_security(view):
    found = view.status()
    lines = [
        "Device       %s, model %s" % (found["device"], found["model"]),
        "Mode         %s" % found["mode"],
        "State        %s%s" % (found["state"], ", locked out" if found["locked_out"] else ""),
        "Policy       %s" % found["policy"],
        "TFTP         %s" % (", ".join(found["tftp_servers"]) or "none"),
        "TVS          %s" % (", ".join(found["tvs_servers"]) or "none"),
        "LSC          %s" % ("installed" if found["lsc"] else "not installed"),
        "Configuration %s" % (found["configuration"] or "none"),
    ]
    if found["advice"]:
        lines.append("To do        %s" % found["advice"])
    return lines


def _show_messages(view):
    lines = []
    for decision in view.history.decisions:
        lines.append("%s %s %s" % (decision.kind, decision.outcome, decision.reason))
        lines.append("  " + decision.text)
        if decision.status_message:
            lines.append('  Phones of the vendor show: "%s"' % decision.status_message)
    return lines or ["No decisions yet."]


_SHOW = {
    "itl": _show_list("itl"),
    "ctl": _show_list("ctl"),
    "lsc": _show_lsc,
    "security": _show_security,
    "load": _show_load,
    "messages": _show_messages,
}
