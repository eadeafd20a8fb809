# SPDX-License-Identifier: MIT
"""Writes stores as a release writes them: make_stores.py RELEASE CHECKOUT, where CHECKOUT is the source tree of that release.

Run it once for each release, before the next release changes the store. The files in stores/ stay, because a new load must
read the store that an old load wrote. A whole phone of that release wrote phone.store: it booted against a cluster in mixed
mode and has an LSC. The store's code alone wrote the others. expected.json has what must be read from each NAME.store.
stores/RELEASE/reader is that release's own reader, which must read the stores of today, as in a phone that goes back.
"""

import hashlib
import json
import pathlib
import shutil
import sys

HERE = pathlib.Path(__file__).resolve().parent
VECTORS = HERE.parent / "vectors"
SIZE = 65536
NAME = b"SEP00270DC01C92.cnf.xml.sgn"
TVS = b'[["192.0.2.10", 2445], ["192.0.2.11", 2445]]'


def vector(name):
    return (VECTORS / name).read_bytes()


def states():
    """name -> the changes that were saved one after the other; "erase" stands for a person's."""
    nonsecure = {"itl": vector("itl-base.tlv")}
    configured = {"configuration-name": NAME, "configuration": b"<device></device>", "tvs-servers": TVS}
    mixed = {"ctl": vector("ctl-mixed.tlv"), "itl": vector("itl-sha512.tlv")}
    enrolled = {"lsc": vector("lsc.cert.pem"), "lsc-key": b"\x30\x82" + bytes(range(256))}
    return {
        "nonsecure": [nonsecure, configured],
        "mixed": [mixed, configured, enrolled],
        "updated": [nonsecure, configured, {"itl": vector("itl-tftpregen.tlv")}],
        "rolled-back": [nonsecure, {"itl": vector("itl-rollback.tlv")}],
        "erased": [mixed, "erase"],
    }


def phone(folder):
    """The flash of a phone of that release after its boot -> what must be read from it."""
    try:
        from tests.unit.phone_world import World, own_pair  # 0.1
    except ImportError:
        from tests.helpers.agent.phone_world import World, own_pair
    files = {"ITLFile.tlv": vector("itl-base.tlv"), "CTLFile.tlv": vector("ctl-mixed.tlv")}
    configuration = vector("cfg-sha512.cnf.xml.sgn")
    world = World(files | {NAME.decode(): configuration})
    if not world.boot():
        sys.exit(f"the phone did not boot: {world.reasons()}")
    identity = world.phone.identity if hasattr(world.phone, "identity") else world.identity
    identity.keep(*own_pair())
    (folder / "phone.store").write_bytes(world.hal.flash.data)
    body = configuration[configuration.index(b"<?xml") :]
    held = {"ctl": files["CTLFile.tlv"], "itl": files["ITLFile.tlv"], "configuration-name": NAME, "configuration": body}
    held |= {"tvs-servers": b'[["127.0.0.1", 2445]]', "lsc": own_pair()[0], "lsc-key": own_pair()[1]}
    stored = (world.phone.store if hasattr(world.phone, "store") else world.store).current
    found = {name: bytes(stored.read(name)) for name in stored.names()}
    if not held.items() <= found.items():
        sys.exit("the phone has not stored what it was given")
    return found


def main(release, checkout):
    sys.path.insert(0, checkout)
    old = (pathlib.Path(checkout) / "agent/store.py").exists()  # 0.1
    if old:
        from agent.store import Store
        from hal.fake_flash import FakeFlash
    else:
        from agent.flash.store import Store
        from hal.fake.flash import FakeFlash

    from hal.host import crypto

    folder = HERE / "stores" / release
    (folder / "reader").mkdir(parents=True, exist_ok=True)
    expected = {}
    for name, changes in states().items():
        flash = FakeFlash(SIZE)
        store = Store(flash, crypto())
        store.load()
        held = {}
        for change in changes:
            if change == "erase":
                store.erase()
                held = {}
            else:
                store.save(change)
                held.update(change)
        (folder / f"{name}.store").write_bytes(flash.data)
        expected[name] = {section: hashlib.sha256(value).hexdigest() for section, value in held.items()}
    held = phone(folder)
    expected["phone"] = {section: hashlib.sha256(value).hexdigest() for section, value in held.items()}
    (folder / "expected.json").write_text(json.dumps(expected, indent=1, sort_keys=True) + "\n")
    for module in (
        ("store.py", "store_layout.py", "errors.py") if old else ("flash/store.py", "flash/slot.py", "errors.py")
    ):
        name = pathlib.Path(module).with_suffix(".txt").name
        shutil.copyfile(pathlib.Path(checkout) / "agent" / module, folder / "reader" / name)


if __name__ == "__main__":
    main(*sys.argv[1:])
