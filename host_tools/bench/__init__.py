# SPDX-License-Identifier: MIT
"""Benchmarks: `make bench`. Each module of one subject has lines(), an iterable of measure.Line."""
