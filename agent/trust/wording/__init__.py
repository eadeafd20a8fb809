# SPDX-License-Identifier: MIT
"""All sentences of decisions, in a file for each subject: judgements of lists, files and servers; loads; steps that judge
nothing; the lines that phones of the vendor show."""
