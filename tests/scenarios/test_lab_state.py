# SPDX-License-Identifier: MIT
"""A change of a lab cluster happens whole or not at all, and two processes may change and read it at once."""

import os
import threading

import pytest

from host_tools.lab.errors import LabError
from host_tools.lab.model import state
from host_tools.lab.model.cluster import Cluster
from tests.helpers.lab.independent_reader import File
from tests.helpers.lab.key_pool import PooledKeys


class PowerCut(BaseException):
    """Not an Exception, so that no code catches it on the way."""


def snapshot(cluster):
    """Everything a reader sees."""
    current = Cluster(cluster.path).state
    return (
        current.number,
        current.data,
        {name: item.pem() for name, item in current.identities.items()},
        current.published,
    )


def test_a_change_that_is_cut_off_at_any_write_leaves_the_old_state(cluster, monkeypatch):
    before = snapshot(cluster)
    real, written = state._write, []

    def write(path, content, mode=0o644):
        if len(written) == limit:
            raise PowerCut
        written.append(path)
        real(path, content, mode)

    monkeypatch.setattr(state, "_write", write)
    limit = 0
    while True:
        written.clear()
        try:
            cluster.regenerate("capf")
            break
        except PowerCut:
            assert snapshot(cluster) == before, f"after {limit} writes"
            limit += 1
    assert limit > 8 and snapshot(cluster) != before


@pytest.mark.parametrize("step", ["rename", "symlink_to", "replace"])
def test_a_change_that_is_cut_off_before_its_last_step_leaves_the_old_state(cluster, monkeypatch, step):
    before = snapshot(cluster)

    def cut(*_arguments, **_options):
        raise PowerCut

    with monkeypatch.context() as patched:
        patched.setattr(os if step == "replace" else state.Path, step, cut)
        with pytest.raises(PowerCut):
            cluster.regenerate("capf")
    assert snapshot(cluster) == before
    cluster.regenerate("capf")
    assert snapshot(cluster)[0] > before[0]


def test_an_error_in_the_middle_of_a_change_leaves_the_old_state(cluster):
    before = snapshot(cluster)
    with pytest.raises(ZeroDivisionError), cluster.change() as draft:
        draft.data["mixed"] = True
        draft.identities.clear()
        _ = 1 / 0
    assert snapshot(cluster) == before


def test_readers_see_whole_states_while_others_change_them(classic):
    problems, done = [], threading.Event()

    def read():
        reader = Cluster(classic.path)
        while not done.is_set():
            try:
                current = reader.state
                File(current.published["lab-pub"]["ITLFile.tlv"]).verify(current.identities["callmanager-1"].der)
            except Exception as error:  # any is a failure, and must reach the test's own thread
                problems.append(error)

    def change(kind):
        changer = Cluster(classic.path, PooledKeys())
        for _time in range(4):
            changer.regenerate(kind)

    readers = [threading.Thread(target=read) for _ in range(2)]
    changers = [threading.Thread(target=change, args=(kind,)) for kind in ("tftp", "capf")]
    first = classic.state.number
    for thread in readers + changers:
        thread.start()
    for thread in changers:
        thread.join()
    done.set()
    for thread in readers:
        thread.join()
    assert problems == []
    assert classic.state.number == first + 8


def test_old_generations_go_away(cluster):
    for _time in range(6):
        cluster.set_autoregistration(True)
    kept = sorted(path.name for path in (cluster.path / "generations").iterdir())
    assert len(kept) == state.KEPT and int(kept[-1]) == cluster.state.number


def test_a_folder_without_a_cluster_and_a_damaged_one_are_named(tmp_path, cluster):
    with pytest.raises(LabError, match="holds no lab cluster"):
        _ = Cluster(tmp_path / "nothing").state
    (cluster.state.folder / "cluster.json").write_text("{")
    with pytest.raises(LabError, match="cannot be read"):
        _ = Cluster(cluster.path).state
    with pytest.raises(LabError, match="already holds"):
        Cluster.create(cluster.path)


@pytest.mark.parametrize(
    "options, problem",
    [
        ({"nodes": 0}, "1 to 8 nodes"),
        ({"nodes": 9}, "1 to 8 nodes"),
        ({"kind": "nobody"}, "kind 'nobody' is unknown; these are: modern, classic, tokens, open"),
        ({"kind": "open", "sast": 3}, "1 or 2 SAST keys"),
        ({"kind": "open", "webcam": True}, "no part 'webcam'"),
        ({"https": True}, "only open clusters"),
        ({"digest": "md5"}, "digest 'md5' is unknown"),
        ({"name": "../x"}, "cannot be a cluster's name"),
        ({"address": "<x>"}, "is not an address or name"),
    ],
)
def test_a_cluster_that_cannot_be_is_refused_in_a_sentence(tmp_path, options, problem):
    with pytest.raises(LabError, match=problem):
        Cluster.create(tmp_path / "cluster", **options)
    assert not (tmp_path / "cluster" / "current").exists()
