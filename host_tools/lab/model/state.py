# SPDX-License-Identifier: MIT
"""A cluster's state on disk, in generations.

    FOLDER/current                -> generations/000012     (a symbolic link, replaced in one step)
    FOLDER/generations/000012/cluster.json                  what the cluster is
    FOLDER/generations/000012/identities/NAME.pem           certificates, with the keys the cluster owns
    FOLDER/generations/000012/files/FILE                    files that were added: locales, ring lists
    FOLDER/generations/000012/published/NODE/FILE           what that node's TFTP hands out

A change writes a whole new generation beside the old one and then renames the link: readers see the old state or the
new one, never a mixture, and nothing of a change that fails half way is ever read.
"""

import contextlib
import copy
import fcntl
import json
import os
import re
import shutil
from pathlib import Path

from host_tools.lab.errors import LabError
from host_tools.lab.model.keys import Identity

FORMAT = 2  # of cluster.json; changes when an older lab could not read a new file, or this lab an old one
KEPT = 3  # generations that stay: a reader may still be inside the one before
_CONFIGURATION = re.compile(r"SEP([0-9A-F]{12})\.cnf\.xml")
_FILE_NAME = re.compile(r"[A-Za-z0-9_@+][A-Za-z0-9_@+.-]*(/[A-Za-z0-9_@+][A-Za-z0-9_@+.-]*)*")


class State:
    """One generation in memory: `data` (what cluster.json holds), `identities`, `files` by name, `published` by node.

    `number` is None while the state is a draft that has no place on disk yet.
    """

    def __init__(self, data, identities, files, published, number=None, folder=None):
        self.data = data
        self.identities = identities
        self.files = files
        self.published = published
        self.number = number
        self.folder = folder

    def draft(self):
        """A copy that may be changed. Identities are immutable and shared."""
        return State(
            copy.deepcopy(self.data),
            dict(self.identities),
            dict(self.files),
            {node: dict(files) for node, files in self.published.items()},
        )

    def loaded(self, service, node, name):
        """The Identity `name` that the service of a node has loaded: until its restart it may be older than the one on disk."""
        pending = self.data["loaded"].get(f"{service}@{node}", {})
        return self.identities[pending.get(name, name)]

    def handed_out(self, number, known=None):
        """What the TFTP server of node `number` hands out, other clusters' files included: a HandedOut.

        `known`: {folder: State} of other clusters, in place of their current states."""
        return HandedOut(self, number, known)

    @classmethod
    def load(cls, folder, read_identity=None):
        """Read the generation in `folder`. LabError when there is none. read_identity: makes an Identity from the bytes of a
        file; default: with its key."""
        folder = Path(folder)
        read_identity = read_identity or (lambda content: Identity.from_pem(content, own=True))
        try:
            data = json.loads((folder / "cluster.json").read_text())
            if data["format"] != FORMAT:
                raise LabError(f"{folder} is of another version of the lab; make a new cluster")
            identities = {
                path.stem: read_identity(path.read_bytes()) for path in sorted((folder / "identities").glob("*.pem"))
            }
            files = _read_tree(folder / "files")
            published = {node["name"]: _read_tree(folder / "published" / node["name"]) for node in data["nodes"]}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise LabError(f"the cluster's state in {folder} cannot be read: {error}") from error
        return cls(data, identities, files, published, int(folder.name), folder)

    def write(self, folder):
        """Write this state as `folder`, which must not exist. Only the owner can read it, for the keys in it."""
        folder.mkdir(mode=0o700, parents=True)
        _write(folder / "cluster.json", (json.dumps(self.data, indent=1, sort_keys=True) + "\n").encode())
        (folder / "identities").mkdir()
        for name, identity in self.identities.items():
            _write(folder / "identities" / f"{name}.pem", identity.pem(), 0o600)
        _write_tree(folder / "files", self.files)
        for node, files in self.published.items():
            _write_tree(folder / "published" / node, files)


class HandedOut:
    """The files of one node by name, with what its TFTP server hands out of other clusters: find(), get(), `in`.

    A phone whose user belongs to another cluster gets its configuration from there. With a centralized TFTP server, files that
    this cluster lacks come from the other cluster. In both cases the other cluster's publisher is asked.
    """

    def __init__(self, state, number, known=None):
        self._state = state
        self._known = known or {}
        self._node = state.data["nodes"][number - 1]["name"]

    def find(self, name):
        """(State, name of its node) with the file; None where no node has it."""
        own = name in self._state.published[self._node]
        data = self._state.data
        visited = _CONFIGURATION.match(name)
        other = data["visitors"].get(visited[1]) if visited else None
        if other is None and not own:
            other = data["centralized_tftp"]
        if other is None:
            return (self._state, self._node) if own else None
        state = self._known.get(other) or Store(other).current()
        node = state.data["nodes"][0]["name"]
        return (state, node) if name in state.published[node] else None

    def get(self, name):
        """The bytes of a file, None where no node has it."""
        found = self.find(name)
        return None if found is None else found[0].published[found[1]][name]

    def __contains__(self, name):
        return self.find(name) is not None

    def __getitem__(self, name):
        content = self.get(name)
        if content is None:
            raise KeyError(name)
        return content


class Store:
    """The folder of a cluster: the current generation, and changing it under a lock."""

    def __init__(self, path, read_identity=None):
        self.path = Path(path)
        self._read_identity = read_identity  # as of State.load()
        self._link = str(self.link)
        self._loaded = None, None  # where the link pointed to, and that State

    @property
    def link(self):
        """The symbolic link that names the current generation."""
        return self.path / "current"

    def exists(self):
        """True where the folder holds a cluster."""
        return self.link.is_symlink()

    def current(self):
        """The current State, read again only when the generation changed."""
        for _attempt in range(3):
            try:
                target = os.readlink(self._link)
            except OSError as error:
                raise LabError(f"{self.path} holds no lab cluster; make one with `phonetrust lab init`") from error
            known, loaded = self._loaded
            if loaded is not None and known == target:
                return loaded
            try:
                loaded = State.load(self.path / "generations" / os.path.basename(target), self._read_identity)
                self._loaded = target, loaded
                return loaded
            except LabError:
                if os.readlink(self._link) == target:
                    raise  # no other process has moved on and removed it
        raise LabError(f"the cluster in {self.path} changes faster than it can be read")

    @contextlib.contextmanager
    def lock(self):
        """Hold the folder for a change; other processes wait."""
        self.path.mkdir(parents=True, exist_ok=True)
        with open(self.path / "lock", "w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def commit(self, state):
        """Make `state` the current generation. Call with the lock held. Returns it as loaded from disk."""
        generations = self.path / "generations"
        generations.mkdir(mode=0o700, exist_ok=True)
        number = max([int(entry.name) for entry in generations.iterdir() if entry.name.isdigit()], default=0) + 1
        building = generations / "building"
        if building.exists():
            shutil.rmtree(building)  # left by a change that was cut off
        try:
            state.write(building)
            folder = generations / f"{number:06d}"
            building.rename(folder)
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)
            raise
        new_link = self.path / "current.new"
        new_link.unlink(missing_ok=True)
        new_link.symlink_to(Path("generations") / folder.name)
        os.replace(new_link, self.link)
        for entry in generations.iterdir():
            if entry.name.isdigit() and int(entry.name) <= number - KEPT:
                shutil.rmtree(entry, ignore_errors=True)
        return self.current()


def _write(path, content, mode=0o644):
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with open(descriptor, "wb") as handle:
        handle.write(content)


def _read_tree(root):
    """{name: bytes} of all files below `root`, names with `/` where there are folders."""
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def _write_tree(root, files):
    root.mkdir(parents=True)
    for name, content in files.items():
        if not _FILE_NAME.fullmatch(name):
            raise LabError(f"{name!r} cannot be the name of a file on the TFTP server")
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, content)
