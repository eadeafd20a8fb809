# SPDX-License-Identifier: MIT
"""Which model of phone supports what: the table models.json, {model: [features]}, to which a person may add lines.

A line is what the maker says of a model with current firmware; a model that is not there is taken to know all of it,
as only what phones ask for tells otherwise (model/features.py).
"""

import functools
import json
from pathlib import Path

TABLE = Path(__file__).with_name("models.json")
FEATURES = {
    "security-by-default": "takes ITLs and signed configuration",
    "tvs": "asks TVS",
    "encrypted-configuration": "takes encrypted configuration",
    "https": "fetches its configuration by HTTPS",
    "ec": "knows EC certificates",
    "sha512": "knows SHA-512 signatures",
    "loads": "verifies signed loads",
}


@functools.cache
def table(path=TABLE):
    """{model: set of FEATURES}."""
    return {model: set(features) for model, features in json.loads(path.read_text()).items()}


def supports(model, feature):
    """True or False as the table says, None where it does not have the model."""
    known = table().get(model)
    return None if known is None else feature in known
