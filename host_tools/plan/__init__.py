# SPDX-License-Identifier: MIT
"""Plans: what steps on a cluster would do to a fleet of phones (docs/guide.md)."""
