# SPDX-License-Identifier: MIT
"""A plan as a TOML file, in the words of the security guide:

name = "Renew all certificates"
steps = ["regenerate tvs on node 1", "restart all phones", "regenerate tftp on node 1", "restart all phones"]
[clusters]
B = "../cluster-b"                      # folders of other clusters, as seen from the plan's own folder
"""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from host_tools.plan.errors import PlanError

MOST_STEPS = 100
PLACE = re.compile(r"^(.*?)(?: in cluster (\S+))?$")
_NODE = r"(?: on node (?P<node>\d+))?"
_WHO = r"(?:all phones|batch (?P<batch>\S+))"
#: word of a step -> how it is written; `family` of steps that keep their order among themselves
GRAMMAR = {
    "regenerate": (rf"regenerate (?P<kind>[a-z0-9-]+){_NODE}(?P<ca> by a third party)?", "regenerate tvs on node 1"),
    "restart-phones": (rf"restart {_WHO}", "restart all phones, restart batch A"),
    "restart": (rf"restart (?P<service>tvs|tftp|capf|tomcat){_NODE}", "restart tftp on node 1"),
    "restarts": (r"restarts (?P<how>automatic|by-hand)", "restarts by-hand"),
    "itl-reset": (r"itl reset localkey", "itl reset localkey"),
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
    "import": (r"import certificates of cluster (?P<other>\S+)", "import certificates of cluster B"),
    "upgrade": (r"upgrade", "upgrade"),
    "finish": (r"finish upgrade", "finish upgrade"),
    "switch": (r"switch version", "switch version"),
    "backup": (r"back up", "back up"),
    "restore": (r"restore", "restore"),
    "reinstall": (r"reinstall", "reinstall"),
    "service": (rf"(?P<do>stop|start) (?P<service>[a-z]+){_NODE}", "stop tvs on node 1"),
    "autoregistration": (r"autoregistration (?P<state>on|off)", "autoregistration off"),
    "urls": (r"secure urls (?P<how>https|http)", "secure urls http"),
    "hand-out": (r"hand out (?P<folder>\S+)", "hand out new-files"),
}
_PATTERNS = {word: re.compile(pattern, re.IGNORECASE) for word, (pattern, _) in GRAMMAR.items()}
#: words that are one family, whatever they say: their order is their meaning
_ONE_FAMILY = {"upgrade": "release", "finish": "release", "switch": "release", "backup": "saved", "restore": "saved",
               "reinstall": "saved", "itl-reset": "signer", "itl-sign": "signer", "ctl-update": "ctl", "ctl-sign": "ctl",
               "ctl-delete": "ctl", "mode": "ctl"}  # fmt: skip


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

    @property
    def family(self):
        """Steps of one family are never reordered among themselves."""
        if self.word == "regenerate":
            return self.cluster, self.word, self["kind"], self.node or 1
        if self.word in ("restart-phones", "move"):
            return self.word, self["batch"]
        return self.cluster, _ONE_FAMILY.get(self.word, self.word)


@dataclass
class Plan:
    """name: text. steps: [Step]. clusters: {name: Path of another cluster}. folder: of the plan."""

    name: str
    steps: list
    clusters: dict
    folder: Path


def parse_step(text):
    """A Step. PlanError says what there is."""
    words, place = PLACE.match(" ".join(text.split())).groups()
    for word, pattern in _PATTERNS.items():
        found = pattern.fullmatch(words)
        if found:
            values = tuple((name, value) for name, value in found.groupdict().items() if value is not None)
            return Step(text, word, place or "", values)
    known = "; ".join(example for _, example in GRAMMAR.values())
    raise PlanError(f"{text!r} is no step; steps are: {known}")


def read_plan(path):
    """(Plan, [what is wrong with it]); a Plan with the steps that can be read. PlanError where there is none."""
    try:
        data = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise PlanError(f"{path}: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PlanError(f"{path}: this is no TOML: {error}") from None
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
    steps = []
    for number, text in enumerate(texts, 1):
        try:
            step = parse_step(text)
        except PlanError as error:
            wrong.append(f"step {number}: {error}")
            continue
        for name in (step.cluster, step["to"] or "", step["other"] or ""):
            if name and name not in clusters:
                wrong.append(f"step {number}: cluster {name} is not in [clusters]")
        steps.append(step)
    folder = Path(path).resolve().parent
    return Plan(
        str(data.get("name", Path(path).stem)), steps, {k: folder / v for k, v in clusters.items()}, folder
    ), wrong
