# SPDX-License-Identifier: MIT
"""A phone that does one thing at a time, on either Python: stepped_phone.py FOLDER. The test's side is stepped.py.

FOLDER has phone.json, and mic.pem if it has one; its flash is kept there. Each line of input is a JSON object, each answer a
line "##" and a JSON object; what the phone logs stands between. {"do": "boot" | "restart" (power off and on) | "fetch" |
"update" with "string" | "judge" with "purpose", "certificate" (hex) | "section" with "name"}."""

import asyncio
import binascii
import json
import os
import sys

from agent import settings
from agent.flash.identity import parse_pem
from agent.main import Phone

MICROPYTHON = sys.implementation.name == "micropython"
FLASH_SIZE = 1 << 18


def read(path):
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return None


def start(folder):
    """A phone that was just switched on."""
    values = settings.parse(read(folder + "/phone.json"))
    mic = read(folder + "/mic.pem")
    path = folder + "/flash"
    if MICROPYTHON:
        from hal.device import Board, Flash, Hal

        if not _exists(path):
            with open(path, "wb") as file:
                file.write(bytes(FLASH_SIZE))
        flash = Flash(path)
    else:
        from hal.host import Board, Flash, Hal

        flash = Flash(path, FLASH_SIZE)
    hal = Hal(board=Board(values.mac, values.model), flash=flash)
    return Phone(hal, values, origin=hal.clock.monotonic(), mic=parse_pem(mic) if mic else None)


def _exists(path):
    try:
        os.stat(path)
        return True
    except OSError:
        return False


async def act(phone, step):
    """Do one step; a dictionary."""
    boot = phone.work.boot_order
    what = step["do"]
    if what == "boot":
        return {"good": await phone.boot()}
    if what == "fetch":
        return {"good": (await boot.configuration.run(boot.begin())).accepted}
    if what == "update":
        phone.work.update_lsc(step.get("string"))
        await phone.work.turn()
        return {}
    if what == "judge":
        decision = await phone.programs.judge(step["purpose"], binascii.unhexlify(step["certificate"]))
        return {"accepted": decision.accepted, "reason": decision.reason, "text": decision.text}
    stored = phone.keeper.store.current
    found = stored.read(step["name"]) if stored is not None else None
    return {"section": None if found is None else binascii.hexlify(found).decode()}


async def main(folder):
    phone = start(folder)
    while True:
        line = sys.stdin.readline()
        if not line:
            return
        step = json.loads(line)
        if step["do"] == "restart":
            phone = start(folder)
            step["do"] = "boot"
        phone.history.decisions.clear()
        answer = await act(phone, step)
        reasons = []
        for one in phone.history.decisions:
            reasons.append(one.kind + (" " if one.accepted else " !") + one.reason)
        answer["reasons"] = reasons
        answer["status"] = phone.view.status()
        print("##" + json.dumps(answer))
        if not MICROPYTHON:
            sys.stdout.flush()


asyncio.run(main(sys.argv[1]))
