# SPDX-License-Identifier: MIT
"""Plans: what steps on a cluster do to a fleet of phones, before anybody does them (docs/guide.md)."""
