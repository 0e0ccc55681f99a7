"""Meridian's own YAML files, read by libyaml: at the start of every process, and eight times faster
than by Python.

For files of other people see operations/objectives/openslo/yaml_text.py and
assurance/frameworks/parsing.py, which limit what they read.
"""

from pathlib import Path
from typing import Any

import yaml

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # where it was built with libyaml


def read(path: Path) -> Any:
    """Return what the file holds: plain values, as `safe_load` does."""
    loader = _Loader(path.read_text(encoding="utf-8"))
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()
