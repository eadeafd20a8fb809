# SPDX-License-Identifier: MIT
"""The program whose start the benchmark measures, for both Pythons: verdict.py FILE prints a first phone's verdict."""

import sys

from agent.trust.decision import Decision
from agent.trust.rules import Trust

if sys.implementation.name == "micropython":
    from hal.device import crypto
else:
    from hal.host import crypto

with open(sys.argv[1], "rb") as file:
    data = file.read()
decision = Trust(crypto(), limit=1 << 20).decide_list("itl", data)
if not isinstance(decision, Decision):
    raise SystemExit("the list leaves a question open")
print(decision.outcome, decision.reason)
