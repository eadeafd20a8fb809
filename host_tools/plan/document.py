# SPDX-License-Identifier: MIT
"""A plan as a TOML file, in the words of the security guide:

name = "Renew all certificates"
steps = ["regenerate tvs on node 1", "restart all phones", "regenerate tftp on node 1", "restart all phones"]
[clusters]
B = "../cluster-b"                      # folders of other clusters, as seen from the plan's own folder
"""

import difflib
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from host_tools.plan.errors import PlanError

MOST_STEPS = 100
LARGEST = 1 << 20  # bytes of a plan
LONGEST = 300  # characters of a step
PLACE = re.compile(r"^(.*?)(?: in cluster (\S+))?$")
_NODE = r"(?: on node (?P<node>\d{1,3}))?"
_WHO = r"(?:all phones|batch (?P<batch>\S+))"
OWN = "own"  # the plan's own cluster, where another step or cluster names it
#: word of a step -> (regular expression, examples)
GRAMMAR = {
    "regenerate": (rf"regenerate (?P<kind>[a-z0-9-]+){_NODE}(?P<ca> by a third party)?", "regenerate tvs on node 1"),
    "restart-phones": (rf"restart {_WHO}", "restart all phones, restart batch A"),
    "restart": (rf"restart (?P<service>tvs|tftp|capf|tomcat){_NODE}", "restart tftp on node 1"),
    "restarts": (r"restarts (?P<how>automatic|by-hand)", "restarts by-hand"),
    "export-key": (r"export itl key", "export itl key"),
    "itl-reset": (r"itl reset (?P<key>localkey|remotekey)", "itl reset localkey, itl reset remotekey"),
    "itl-sign": (r"itl sign (?P<key>\S+)", "itl sign itlrecovery"),
    "ctl-sign": (r"ctl sign (?P<key>\S+)", "ctl sign token-2"),
    "ctl-update": (r"ctl update", "ctl update"),
    "ctl-delete": (r"ctl delete", "ctl delete"),
    "rollback": (rf"rollback (?P<state>on|off){_NODE}", "rollback on"),
    "mode": (r"cluster mode (?P<mode>mixed|nonsecure)", "cluster mode nonsecure"),
    "move": (
        rf"move {_WHO} to cluster (?P<to>\S+)(?P<alone> without the old servers)?",
        "move batch A to cluster B, move all phones to cluster B without the old servers",
    ),
    "node": (rf"move {_WHO} to node (?P<number>\d{{1,3}})", "move batch A to node 2"),
    "erase": (rf"erase {_WHO}", "erase batch A"),
    "import": (
        r"import certificates of cluster (?P<other>\S+)(?: of type (?P<type>tftp|capf|tomcat|itlrecovery))?",
        "import certificates of cluster B, import certificates of cluster B of type TFTP",
    ),
    "log-in": (r"users of cluster (?P<other>\S+) log in", "users of cluster B log in"),
    "log-out": (r"users log out", "users log out"),
    "central-tftp": (
        r"centralized tftp (?:of cluster (?P<other>\S+)|(?P<state>off))",
        "centralized tftp of cluster B, centralized tftp off",
    ),
    "pre8": (r"release before 8\.0 (?P<state>on|off)", "release before 8.0 on"),
    "upgrade": (r"upgrade", "upgrade"),
    "finish": (r"finish upgrade", "finish upgrade"),
    "switch": (r"switch version", "switch version"),
    "backup": (r"back up", "back up"),
    "restore": (r"restore", "restore"),
    "reinstall": (r"reinstall", "reinstall"),
    "service": (rf"(?P<do>stop|start) (?P<service>[a-z]+){_NODE}", "stop tvs on node 1"),
    "autoregistration": (r"autoregistration (?P<state>on|off)", "autoregistration off"),
    "urls": (r"secure urls (?P<how>https|http)", "secure urls http"),
    "directories": (r"directories (?P<how>plain|built-in)", "directories plain"),
    "add": (r"add (?P<count>\d{1,3}) certificates", "add 30 certificates"),
    "hand-out": (r"hand out (?P<folder>\S+)", "hand out new-files"),
}
_PATTERNS = {word: re.compile(pattern, re.IGNORECASE) for word, (pattern, _) in GRAMMAR.items()}
#: steps of phones, not of a cluster
OF_PHONES = ("restart-phones", "move", "node", "erase")
#: words whose steps are one family: their order matters
_FAMILIES = {
    "release": ("pre8", "upgrade", "finish", "switch"),
    "saved": ("backup", "restore", "reinstall"),
    "signer": ("export-key", "itl-reset", "itl-sign"),
    "ctl": ("ctl-update", "ctl-sign", "ctl-delete", "mode"),
    "users": ("log-in", "log-out"),
}
_FAMILY = {word: family for family, words in _FAMILIES.items() for word in words}


@dataclass(frozen=True)
class Step:
    """One step. word: of GRAMMAR. cluster: "" is the plan's own. values: the parts of the text."""

    text: str
    word: str
    cluster: str
    values: tuple

    def __getitem__(self, name):
        return dict(self.values).get(name)

    @property
    def node(self):
        """The number of the node, None where the step names none."""
        number = self["node"]
        return int(number) if number else None

    def named_cluster(self, name):
        """The cluster that a part of the text names, as World.clusters has it; None where it names none."""
        return "" if self[name] == OWN else self[name]

    @property
    def family(self):
        """Steps of one family are never reordered among themselves."""
        if self.word == "regenerate":
            return self.cluster, self.word, self["kind"], self.node or 1
        if self.word in OF_PHONES:
            return ("restart-phones" if self.word == "restart-phones" else "move"), self["batch"]
        return self.cluster, _FAMILY.get(self.word, self.word)


@dataclass
class Plan:
    """name: text. steps: [Step]. clusters: {name: Path of another cluster}. folder: of the plan."""

    name: str
    steps: list
    clusters: dict
    folder: Path


def parse_step(text):
    """The Step of a text. PlanError suggests a known step."""
    if len(text) > LONGEST:
        raise PlanError(f"{text[:20]!r}... has {len(text)} characters; a step has at most {LONGEST}")
    found = PLACE.match(" ".join(text.split()))
    words, place = found.groups() if found else ("", None)
    for word, pattern in _PATTERNS.items():
        found = pattern.fullmatch(words)
        if found:
            values = tuple((name, value) for name, value in found.groupdict().items() if value is not None)
            return Step(text, word, place or "", values)
    known = [example for _, examples in GRAMMAR.values() for example in examples.split(", ")]
    near = difflib.get_close_matches(words.lower(), known, 1)
    if near:
        raise PlanError(f"{text!r} is no step; did you mean {near[0]!r}?")
    raise PlanError(f"{text!r} is no step; steps are: {'; '.join(known)}")


def _toml(path):
    """The content of a TOML file. PlanError."""
    try:
        with open(path, "rb") as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise PlanError(f"{path}: it has more than {LARGEST} bytes; this is no plan")
        return tomllib.loads(content.decode("utf-8-sig"))
    except OSError as error:
        raise PlanError(f"{path}: {error.strerror or error}") from None
    except RecursionError:
        raise PlanError(f"{path}: this is no TOML that can be read: its values are nested too deeply") from None
    except ValueError as error:  # TOMLDecodeError, UnicodeDecodeError, a path with a NUL
        raise PlanError(f"{path}: this is no TOML: {error}") from None


def read_plan(path):
    """(Plan, [what is wrong with it]); a Plan with the steps that can be read. PlanError where there is none."""
    data = _toml(path)
    wrong = [
        f"{key!r} is unknown; there are name, steps, clusters" for key in data.keys() - {"name", "steps", "clusters"}
    ]
    texts, clusters = data.get("steps"), data.get("clusters", {})
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        raise PlanError(f'{path}: it needs steps, a list of texts such as ["regenerate tvs on node 1"]')
    if len(texts) > MOST_STEPS:
        raise PlanError(f"{path}: it has {len(texts)} steps, at most {MOST_STEPS} can be computed")
    if not isinstance(clusters, dict) or not all(isinstance(folder, str) for folder in clusters.values()):
        raise PlanError(f'{path}: clusters must name folders, such as B = "../cluster-b"')
    if OWN in clusters:
        wrong.append(f"cluster {OWN} is the name of the plan's own cluster; choose another one")
    steps = []
    for number, text in enumerate(texts, 1):
        try:
            step = parse_step(text)
        except PlanError as error:
            wrong.append(f"step {number}: {error}")
            continue
        for name in (step.cluster, step["to"] or "", step["other"] or ""):
            if name and name != OWN and name not in clusters:
                wrong.append(f"step {number}: cluster {name} is not in [clusters]")
        steps.append(step)
    folder = Path(path).resolve().parent
    return Plan(
        str(data.get("name", Path(path).stem)), steps, {k: folder / v for k, v in clusters.items()}, folder
    ), wrong
