# SPDX-License-Identifier: MIT
"""Writes stores as a release writes them: make_stores.py RELEASE CHECKOUT, where CHECKOUT is the source tree of that release.

Run it once for each release, before the next release changes the store. The files in stores/ stay, because a new load must
read the store that an old load wrote. expected.json has what must be read from each NAME.store. stores/RELEASE/reader is that
release's own reader, which must read the stores of today, as in a phone that goes back.
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


def main(release, checkout):
    sys.path.insert(0, checkout)
    from agent.store import Store
    from hal.fake_flash import FakeFlash

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
    (folder / "expected.json").write_text(json.dumps(expected, indent=1, sort_keys=True) + "\n")
    for module in ("store.py", "store_layout.py", "errors.py"):
        shutil.copyfile(pathlib.Path(checkout) / "agent" / module, folder / "reader" / module.replace(".py", ".txt"))


if __name__ == "__main__":
    main(*sys.argv[1:])
