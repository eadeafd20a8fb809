# SPDX-License-Identifier: MIT
"""Old signed files that come again: an attack step by step, a backup, clusters whose clocks differ.

A real phone of each kind takes them from a real TFTP server, whose files are those that a lab cluster once handed out."""

import functools
import time

import pytest

from host_tools.lab.servers import daemons
from host_tools.lab.writers import publish
from tests.helpers.lab.phones import HostPhone, MicroPythonPhone
from tests.helpers.lab.procedure import MAC

ITL, CTL = "ITLFile.tlv", "CTLFile.tlv"
PLAIN = f"SEP{MAC}.cnf.xml"
SIGNED = PLAIN + ".sgn"
YEAR = 365 * 86400


@pytest.fixture(params=["host", "micropython"])
def phone(request):
    if request.param == "host":
        made = HostPhone(MAC)
    else:
        made = functools.partial(MicroPythonPhone, software=request.getfixturevalue("software"))(MAC)
    yield made
    made.close()


@pytest.fixture
def served(tmp_path, phone):
    """hand_out(recorded): the phone's TFTP server has these files from now on, {name: bytes}."""
    folder = tmp_path / "tftp"
    folder.mkdir()

    def hand_out(recorded):
        for path in folder.iterdir():
            path.unlink()
        for name, content in recorded.items():
            (folder / name).write_bytes(content)

    with daemons.Atftpd(folder) as server:
        phone.point_at(["{}:{}".format(*server.address)])
        yield hand_out


def record(cluster):
    """What the cluster hands out now."""
    found = {name: cluster.published(name) for name in (ITL, CTL, SIGNED)}
    return {name: content for name, content in found.items() if content is not None}


def boot(phone, **settings):
    """{kind: (outcome, reason)} of one boot, and all warnings of it."""
    phone.waits = settings
    decisions = phone.boot()
    found = {one["kind"]: (one["outcome"], one["reason"]) for one in decisions}
    return found, [warning for one in decisions for warning in one["warnings"]]


@pytest.mark.parametrize("replay", ["warn", "refuse"])
def test_an_empty_list_that_was_recorded_once_strips_no_phone(new_cluster, phone, served, replay):
    cluster = new_cluster()
    cluster.set_rollback(True)
    recorded = record(cluster)  # the attacker listens while a rollback is prepared
    cluster.set_rollback(False)
    full = record(cluster)
    served(full)
    found, _ = boot(phone, replay=replay)
    assert found["itl"] == ("accepted", "first-use") and found[SIGNED] == ("accepted", "signed-by-itl")
    served({ITL: recorded[ITL], PLAIN: b"<device><evil/></device>"})
    found, _ = boot(phone, replay=replay)
    assert found["itl"] == ("refused", "older-than-installed")
    assert found[PLAIN] == ("refused", "unsigned")
    assert phone.stored()["itl"] == full[ITL] and phone.status()["state"] == "trusted"
    served(full)
    found, _ = boot(phone, replay=replay)
    assert found["itl"] == ("accepted", "unchanged") and found[SIGNED] == ("accepted", "signed-by-itl")


def test_a_restored_backup_is_taken_with_a_warning_or_refused(new_cluster, phone, served):
    cluster = new_cluster()
    old = record(cluster)
    cluster.regenerate("capf")
    new = record(cluster)
    served(new)
    boot(phone)
    served(old)
    found, _ = boot(phone, replay="refuse")
    assert found["itl"] == ("refused", "older-than-installed") and phone.stored()["itl"] == new[ITL]
    found, warnings = boot(phone)
    assert found["itl"] == ("accepted", "signed-by-itl") and phone.stored()["itl"] == old[ITL]
    assert [warning for warning in warnings if "older" in warning]


def test_a_cluster_whose_clock_is_a_year_behind_is_moved_to(new_cluster, phone, served, monkeypatch):
    cluster = new_cluster()
    now = time.time()
    with monkeypatch.context() as patched:
        patched.setattr(publish.time, "time", lambda: now - YEAR)
        late = new_cluster(name="late")
    cluster.set_rollback(True)
    served(record(cluster))
    found, _ = boot(phone, replay="refuse")
    assert found["itl"] == ("accepted", "first-use")
    served(record(late))
    found, _ = boot(phone, replay="refuse")
    assert found["itl"] == ("accepted", "after-rollback"), "another cluster has another clock"
    assert found[SIGNED] == ("accepted", "signed-by-itl"), "its configuration too"
    assert phone.stored()["itl"] == late.published(ITL)
