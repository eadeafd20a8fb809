# SPDX-License-Identifier: MIT
"""Clusters on paper: a copy of a cluster that the steps of a plan change. The folder on disk is only read, and its private
keys are not read at all (paper_keys.py).

A new key is used at most once in one order of the steps, and used again in other orders, so a search makes few keys."""

from pathlib import Path

from host_tools.lab.errors import LabError
from host_tools.lab.model.forecast import phone_on_paper, tvs_servers
from host_tools.lab.model.keys import KeyMaker
from host_tools.lab.model.state import Store
from host_tools.lab.writers import files as lab_files
from host_tools.lab.writers import publish
from host_tools.plan import fetched
from host_tools.plan.errors import PlanError
from host_tools.plan.paper_keys import PaperCrypto, PaperSignatures
from host_tools.plan.steps import Steps

STAND_IN = "000000000000"  # the phone whose configuration stands for all
_NAMES = {"itl": lab_files.ITL_NAME, "ctl": lab_files.CTL_NAME}


class CountedKeys(KeyMaker):
    """Keys in a row; `position` says how many of them this order of steps has used."""

    def __init__(self, maker=None):
        self._maker = maker or KeyMaker()
        self._made = {}
        self.position = 0

    def rsa(self, bits=2048):
        """The next RSA key."""
        return self._next("rsa", bits, self._maker.rsa)

    def ec(self, curve="P-384"):
        """The next EC key."""
        return self._next("ec", curve, self._maker.ec)

    def _next(self, kind, size, make):
        place = (kind, size, self.position)
        self.position += 1
        if place not in self._made:
            self._made[place] = make(size)
        return self._made[place]


class Paper:
    """What the clusters of one plan share. keys: CountedKeys. signatures, crypto: of phones on paper. clusters: {path:
    PaperCluster}, because a cluster names another cluster whose files it hands out by its path."""

    def __init__(self, key_maker=None):
        self.keys = CountedKeys(key_maker)
        self.signatures = PaperSignatures()
        self.crypto = PaperCrypto(self.signatures)
        self.clusters = {}

    def get(self, path):
        """The State of the cluster in a folder: the plan's, else the one on disk."""
        if path in self.clusters:
            return self.clusters[path].state
        return Store(path, self.read_identity).current()

    def read_identity(self, pem):
        """An Identity without its private key, which is not read."""
        return self.signatures.identity(fetched.certificate(pem))


class PaperCluster(Steps):
    """A copy of a cluster in a folder. Its configuration is that of one phone, which stands for all.

    model: fetched.Model where the folder has the files of one server only, else None. notes: what a plan cannot know."""

    def __init__(self, path, paper, draft, model=None):
        super().__init__(path, paper.keys)
        self.paper = paper
        self.model = model
        self.notes = model.notes if model else []
        self.key = str(Path(path).resolve())
        paper.clusters[self.key] = self
        self._draft = draft
        self._draft.identities.pop("ca", None)  # on paper the third party gets a new key
        for content in (file for node in draft.published.values() for file in node.values()):
            paper.signatures.learn(content)
        phones = draft.data["phones"]
        for mac in sorted(phones)[1:]:
            del phones[mac]
        for phone in phones.values():
            phone["encrypted"] = False  # only the phone itself could read it
        if not phones:
            self.add_phone((model and model.mac) or STAND_IN)
        self.mac = next(iter(self.data["phones"]))
        self.stand_in = f"SEP{self.mac}"
        self.saved = None
        self.exported = None
        self._vouched = (None, None)

    def snapshot(self):
        """A value from which use() brings the present state back."""
        return self._draft, self.saved, self.exported, self.model

    def use(self, snapshot):
        """Go back to the state of a snapshot()."""
        self._draft, self.saved, self.exported, self.model = snapshot

    def publish_and_commit(self, draft):
        """As Cluster's; a list without a change stays the fetched list."""
        before = fetched.itls(draft)
        try:
            publish.build(draft)
        except LabError as error:
            if self.model:
                raise LabError(f"{error} (as far as the fetched files tell)") from None
            raise
        if self.model:
            self.model.keep(draft, before)
        self._draft = draft
        return draft

    def database(self):
        """What its TVS vouches for now."""
        if self._vouched[0] is not self._draft:
            self._vouched = (self._draft, self.vouches_for(self._draft))
        return self._vouched[1]

    def published_list(self, kind):
        """The bytes of its ITL or CTL, or None."""
        return self.published(_NAMES[kind])

    def named_tvs(self):
        """The TVS servers of its configuration."""
        return tvs_servers(self.state)

    def trial_phone(self, itl, ctl, kept, servers, others):
        """A TrialPhone that boots from this cluster. servers: numbers of the nodes it reaches, (): all."""
        reached = tuple(number for number in servers if number <= len(self.data["nodes"]))
        node = reached[0] if reached and not self.model else 1
        around = [(other.state, other.database()) for other in others]
        return phone_on_paper(
            self.state, self.database(), itl, ctl, self.mac, node, kept, around, reached or None, self.paper,
            self.paper.crypto,
        )  # fmt: skip


def open_cluster(path, paper):
    """A cluster on paper. PlanError where there is none."""
    path = Path(path)
    try:
        if (path / "current").is_symlink():
            return PaperCluster(path, paper, Store(path, paper.read_identity).current().draft())
        if not path.is_dir():
            raise PlanError(f"{path}: there is no such folder")
        model = fetched.Model(path, paper)
        return PaperCluster(path, paper, model.state, model)
    except LabError as error:
        raise PlanError(str(error)) from None
    except ValueError as error:  # a path with a NUL
        raise PlanError(f"{path}: {error}") from None
    except OSError as error:
        raise PlanError(f"{error.filename or path}: {error.strerror or error}") from None
