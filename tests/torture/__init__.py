# SPDX-License-Identifier: MIT
"""Attack, faults and load, counted: `make torture` (python -m tests.torture).

Each file here is one kind of fault; each kind has a function run(effort) -> [Tally], and effort says how much to do."""
