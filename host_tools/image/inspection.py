# SPDX-License-Identifier: MIT
"""What an image, a card or a load holds, read from the bytes: for `phonetrust image inspect`."""

import hashlib
import json

from agent.errors import PhonetrustError
from host_tools.image import board as boards
from host_tools.image import bootloader, fat, fit, layout, settings
from host_tools.image.command_parts import mebibytes
from host_tools.image.errors import ImageError

SLOTS = ("a", "b")


def examine(path, top):
    """-> facts of an image, card or load as a dictionary ready for JSON. ImageError where the file is something else."""
    with open(path, "rb") as file:
        start = file.read(512)
    if start[:3] == b"\x01\x00\x02":  # VERSION, the first tag of a signed file
        return _load(path, top)
    return _card(path, top)


def _load(path, top):
    from agent.formats.header import Header
    from hal.host import crypto

    data = path.read_bytes()
    try:
        header = Header(data)
    except PhonetrustError as error:
        raise ImageError(f"{path}: {error}") from error
    image = data[header.length :]
    found = _image(image)
    facts = {
        "load": str(path), "file name": header.filename, "bytes": len(data), "signer": header.subject,
        "serial": header.serial.hex(), "digest": header.digest_algorithm, **found,
    }  # fmt: skip
    key = _development(top)
    if key is not None and key.serial == header.serial:
        digest = crypto().digest(header.digest_algorithm, data, header.signature_cut)
        good = crypto().verify(key.der, header.digest_algorithm, digest, header.signature)
        facts["signature"] = "of the development key" if good else "does not fit"
    return facts


def _development(top):
    from host_tools.image import keys

    folder = top / "build/image-key"
    if not (folder / keys.CERTIFICATE).exists():
        return None
    return keys.load_certificate(folder)


def _card(path, top):
    identifier, _ = layout.partitions(path)
    parts = layout.parts(path)
    boot, store = parts[:2]
    facts = json.loads(fat.read(path, boot.offset, "build.json"))
    facts["image"] = str(path)
    facts["identifier"] = f"{identifier:08x}"
    facts["partitions"] = [vars(partition) for partition in parts]
    facts["files"] = fat.names(path, boot.offset)
    facts["settings"] = settings.decode(fat.read(path, boot.offset, "phone.json"))
    with open(path, "rb") as file:
        file.seek(store.offset)
        facts["provisioned"] = any(file.read(store.size))
    words, whole = layout.read_environment(path)
    words = {word: words[word] for word in bootloader.WORDS if word in words}
    facts["environment"] = {"words": words, "copies whole": whole}
    facts["running"] = "b" if words.get("slot") == "b" else "a"
    tree = _tree(path, boot, facts["board"])
    facts["slots"] = {}
    for name, partition in zip(SLOTS, parts[2:], strict=True):
        image = layout.read_slot(path, partition)
        found = _image(image) if image else {"error": "no boot image"}
        if image and "error" not in found:
            found["signature"] = _checked(image, tree, top)
        facts["slots"][name] = found
    return facts


def _tree(path, boot, board):
    """A device tree of the card, which holds the keys that U-Boot believes; None for a board without U-Boot."""
    trees = boards.load(board).trees() if board in boards.names() else []
    return fat.read(path, boot.offset, trees[0]) if trees else None


def _checked(image, tree, top):
    if tree is None:
        return "not checked: this board has no boot loader"
    tools = bootloader.tools(top, lambda text: None)
    return "good" if fit.signed_by(tools, image, tree) else "refused by the keys of this card"


def _image(image):
    try:
        found = fit.parse(image)
        facts = fit.facts_of(found)
    except ImageError as error:
        return {"error": str(error)}
    digest = hashlib.sha256(image).hexdigest()
    return {**vars(facts), "size": len(image), "sha256": digest}


def lines(facts):
    """The facts for people."""
    if "load" in facts and "slots" not in facts:
        yield f"{facts['load']}: a load, {mebibytes(facts['bytes'])}"
        yield f"  name in its header: {facts['file name']}"
        yield f"  signed by {facts['signer']}, serial {facts['serial']}, {facts['digest']}"
        if "signature" in facts:
            yield f"  signature: {facts['signature']}"
        yield f"  boot image: {_words(facts)}"
        return
    mark = " (development key)" if facts["development"] else ""
    yield f"{facts['image']}: phonetrust {facts['version']} for {facts['board']}, Linux {facts['kernel']}{mark}"
    names = ("boot, FAT32", "trust store, raw", "slot a, raw", "slot b, raw")
    for name, partition in zip(names, facts["partitions"], strict=True):
        yield f"  partition {partition['number']}: {name}, {mebibytes(partition['size'])} at {partition['offset']}"
    yield f"  trust store: {'in use' if facts['provisioned'] else 'blank, a new phone'}"
    for name, found in facts["slots"].items():
        signature = f"; signature: {found['signature']}" if "signature" in found else ""
        confirmed = ", confirmed" if name == facts["running"] else ""
        yield f"  slot {name}{confirmed}: {_words(found)}{signature}"
    words, whole = facts["environment"]["words"], facts["environment"]["copies whole"]
    shown = " ".join(f"{word}={words[word]}" for word in bootloader.WORDS if word in words)
    yield f"  environment: {shown} ({sum(whole)} of 2 copies whole)"
    yield f"  settings: {json.dumps(facts['settings'])}"
    for name, size in facts["files"].items():
        yield f"  {size:>10} {name}"


def _words(found):
    if "error" in found:
        return found["error"]
    return f"{found['name']} ({found['software']}, {mebibytes(found['size'])}, SHA-256 {found['sha256'][:16]}...)"
