# SPDX-License-Identifier: MIT
"""The guide's procedures as plays: their beginning, their steps, and their end."""

from host_tools.lab.errors import LabError
from host_tools.lab.model.bulk import consolidate
from host_tools.lab.model.transfer import read_recovery
from tests.helpers.lab.plays import Play, Step, World, boot, judge

PASSPHRASE = "seven bananas"
OLD_RELEASE = "007.001(002.30016.001)"


def _lab(by_hand=True, **options):
    def begin(procedure):
        cluster = procedure.start(**options)
        if by_hand:
            cluster.set_restarts("by-hand")
        return World(lab=cluster)

    return begin


def _loaded(service, name):
    return lambda world: world.lab.state.loaded(service, 1, name).der


def _old_release(procedure):
    cluster = procedure.cluster(kind="tokens", old_release=OLD_RELEASE)
    procedure.point_at(cluster)
    procedure.phone.boot()
    return World(lab=cluster)


def _two(procedure):
    old, new = procedure.start(name="old"), procedure.cluster(name="new")
    return World(old=old, new=new)


def _visited(procedure):
    here, home = procedure.start(name="here"), procedure.cluster(name="home", phone=None)
    folder = procedure.folder / "before"
    for cluster in (here, home):
        cluster.bulk_export(folder, PASSPHRASE)
    consolidate(folder, PASSPHRASE)
    for cluster in (here, home):
        cluster.bulk_import(folder, PASSPHRASE)
    here.emcc_login(procedure.phone.mac, home.path)
    procedure.phone.boot()
    return World(here=here, home=home)


def _central(procedure):
    home = procedure.cluster(name="home")
    central = procedure.cluster(name="central", phone=None)
    central.set_restarts("by-hand")
    central.set_centralized_tftp(home.path)
    procedure.point_at(central)
    return World(home=home, central=central)


def _regenerate(kind, said):
    return Step(f"`regenerate {kind}`: {said} is regenerated.", lambda world: world.lab.regenerate(kind))


def _restart(service):
    return Step(f"`service restart {service}`", lambda world: world.lab.restart(service))


_CTL_UPDATE = Step("`ctl update`: the CTL client is run.", lambda world: world.lab.ctl_update())
_TOMCAT = judge("The directory service connects.", "application", _loaded("tomcat", "tomcat-1"))

PLAYS = (
    Play(
        "CAPF certificate regenerated in mixed mode",
        "G1",
        _lab(mixed=True),
        [_regenerate("capf", "the CAPF certificate"), _CTL_UPDATE, _restart("capf"), boot()],
        [judge("The phone is to enrol.", "capf", _loaded("capf", "capf"))],
    ),
    Play(
        "TVS certificate regenerated",
        "G1",
        _lab(kind="classic"),
        [_regenerate("tvs", "the TVS certificate"), _restart("tvs"), boot()],
        [_TOMCAT],
    ),
    Play(
        "TFTP certificate regenerated in mixed mode",
        "G1",
        _lab(kind="classic", mixed=True),
        [_regenerate("tftp", "the CallManager certificate"), _restart("tftp"), boot(), _CTL_UPDATE],
        [boot()],
    ),
    Play(
        "Several certificates regenerated",
        "G1",
        _lab(kind="classic"),
        [
            _regenerate("tvs", "the TVS certificate"),
            _restart("tvs"),
            boot(),
            _regenerate("tftp", "the CallManager certificate"),
            _restart("tftp"),
        ],
        [boot()],
    ),
    Play(
        "Several certificates regenerated where ITLRecovery signs lists",
        "G1",
        _lab(),
        [
            _regenerate("tvs", "the TVS certificate"),
            _restart("tvs"),
            boot(),
            _regenerate("tftp", "the CallManager certificate"),
            _restart("tftp"),
        ],
        [boot()],
    ),
    Play(
        "Tomcat certificate regenerated, and Tomcat restarted",
        "G1",
        _lab(),
        [_regenerate("tomcat", "the Tomcat certificate"), _restart("tomcat")],
        [_TOMCAT],
    ),
    Play(
        "Backup after a regeneration, for the day when the server is lost",
        "G2",
        _lab(kind="classic", by_hand=False),
        [
            Step("`backup`: the fresh cluster is backed up.", lambda world: _backup(world), None),
            _regenerate("tftp", "the CallManager certificate"),
            boot(),
            Step("`backup`, after the regeneration.", lambda world: _backup(world), None),
        ],
        [
            Step("`reinstall`: the server is lost and installed anew.", lambda world: world.lab.reinstall()),
            Step("`restore`", lambda world: world.lab.restore(world.folder / "backup", PASSPHRASE)),
            boot(),
        ],
    ),
    Play(
        "ITL key exported, for the day when there is no backup",
        "G2",
        _lab(kind="classic", by_hand=False),
        [
            Step("`itl export-recovery`", lambda world: _export(world), None),
            Step("`reinstall`: the server is lost and installed anew.", lambda world: world.lab.reinstall()),
            Step("`itl reset remotekey` with the exported key", lambda world: _remote_key(world)),
        ],
        [boot()],
    ),
    Play(
        "Upgrade from 7.1(2) in mixed mode",
        "G3",
        _old_release,
        [
            Step("`upgrade`", lambda world: world.lab.upgrade()),
            _CTL_UPDATE,
            boot("Ten minutes pass: the phone restarts by itself."),
            Step("`upgrade --finish`: the call records are migrated.", lambda world: world.lab.finish_upgrade()),
            Step("`backup`", lambda world: _backup(world), None),
        ],
        [boot()],
    ),
    Play(
        "Rollback to a release before 8.0",
        "G4",
        _lab(by_hand=False, nodes=2),
        [
            Step("`set rollback true --node 1`", lambda world: world.lab.set_rollback(True, 1)),
            Step("`set rollback true --node 2`", lambda world: world.lab.set_rollback(True, 2)),
            boot("Ten minutes pass: the phone restarts by itself."),
            Step("`pre8 on`: the old release runs.", lambda world: world.lab.set_pre8(True)),
        ],
        [boot()],
    ),
    Play(
        "Rollback in which the subscriber was forgotten, and phones ask it first",
        "G4",
        lambda procedure: _at_subscriber(procedure),
        [
            Step("`set rollback true --node 1`", lambda world: world.lab.set_rollback(True, 1)),
            Step("`set rollback true --node 2`", lambda world: world.lab.set_rollback(True, 2)),
            boot("Ten minutes pass: the phone restarts by itself, at the subscriber."),
            Step("`pre8 on`: the old release runs.", lambda world: world.lab.set_pre8(True)),
        ],
        [boot()],
    ),
    Play(
        "Switched back to 8.0",
        "G5",
        lambda procedure: _rolled_back(procedure),
        [
            Step("`pre8 off`: the new release runs.", lambda world: world.lab.set_pre8(False)),
            Step("`set rollback false`", lambda world: world.lab.set_rollback(False)),
        ],
        [boot("Ten minutes pass: the phone restarts by itself.")],
    ),
    Play(
        "Centralized TFTP, for a new phone of a remote cluster",
        "G6",
        _central,
        [
            Step(
                "`set rollback true` on the central cluster", lambda world: world.central.set_rollback(True), "central"
            ),
            Step("`service restart tvs` there", lambda world: world.central.restart("tvs"), "central"),
            Step("`service restart tftp` there", lambda world: world.central.restart("tftp"), "central"),
            Step(
                "`set secure-urls http` on the remote cluster", lambda world: world.home.set_secure_urls("http"), "home"
            ),
        ],
        [boot("The phone starts, fresh from the factory.")],
    ),
    Play(
        "ITLs reset in bulk after a lockout",
        "G7",
        lambda procedure: _locked_out(procedure),
        [
            Step("`itl reset localkey`", lambda world: world.lab.itl_reset("localkey")),
            _restart("tftp"),
        ],
        [boot()],
    ),
    Play(
        "Moved to another cluster with rollback prepared first",
        "G8",
        _two,
        [
            Step("`set rollback true` on the old cluster", lambda world: world.old.set_rollback(True), "old"),
            boot("The phone is reset and restarts."),
            Step("Option 150 names the new cluster.", lambda world: world.procedure.point_at(world.new), None),
        ],
        [boot()],
    ),
    Play(
        "Moved to another cluster with bulk certificates",
        "G8",
        _two,
        [
            Step("`bulk-cert export` on the new cluster", lambda world: _bulk_export(world, world.new), None),
            Step("`bulk-cert consolidate`", lambda world: consolidate(world.folder / "sftp", PASSPHRASE), None),
            Step("`bulk-cert import` on the old cluster", lambda world: _bulk_import(world, world.old), "old"),
            Step("Option 150 names the new cluster.", lambda world: world.procedure.point_at(world.new), None),
        ],
        [boot()],
    ),
    Play(
        "TFTP certificate of a visitor's own cluster regenerated (EMCC)",
        "G1",
        _visited,
        [
            Step("`regenerate tftp` on the user's cluster", lambda world: world.home.regenerate("tftp"), "home"),
            Step("`bulk-cert export` there", lambda world: _bulk_export(world, world.home), None),
            Step("`bulk-cert consolidate`", lambda world: consolidate(world.folder / "sftp", PASSPHRASE), None),
            Step("`bulk-cert import` on the phone's cluster", lambda world: _bulk_import(world, world.here), "here"),
        ],
        [boot()],
    ),
    Play(
        "Autoregistration",
        "G9",
        lambda procedure: _unknown(procedure),
        [
            Step("`autoregistration on`", lambda world: world.lab.set_autoregistration(True)),
            boot("An unknown phone starts."),
            Step("`set cluster-mode mixed`", lambda world: world.lab.set_cluster_mode("mixed")),
        ],
        [boot()],
    ),
)


def _backup(world):
    world.lab.backup(world.folder / "backup", PASSPHRASE)


def _export(world):
    world.lab.export_recovery(world.folder / "recovery", PASSPHRASE)


def _remote_key(world):
    if not (world.folder / "recovery").exists():
        raise LabError("there is no exported key")
    world.lab.itl_reset("remotekey", read_recovery(world.folder / "recovery", PASSPHRASE))


def _bulk_export(world, cluster):
    cluster.bulk_export(world.folder / "sftp", PASSPHRASE)


def _bulk_import(world, cluster):
    cluster.bulk_import(world.folder / "sftp", PASSPHRASE)


def _at_subscriber(procedure):
    cluster = procedure.start(nodes=2)
    procedure.point_at((cluster, 2))
    return World(lab=cluster)


def _rolled_back(procedure):
    cluster = procedure.start()
    cluster.set_rollback(True)
    procedure.phone.boot()
    cluster.set_pre8(True)
    procedure.phone.boot()
    return World(lab=cluster)


def _locked_out(procedure):
    cluster = procedure.start(kind="classic")
    cluster.regenerate("tvs")
    cluster.regenerate("tftp")
    procedure.phone.boot()
    cluster.set_restarts("by-hand")
    return World(lab=cluster)


def _unknown(procedure):
    cluster = procedure.cluster(phone=None)
    procedure.point_at(cluster)
    return World(lab=cluster)
