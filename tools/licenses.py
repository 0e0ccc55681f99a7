"""Write docs/licenses.md: the license of each package of uv.lock, as its own metadata states it.

    make licenses

Packages that the lock lists for other systems aren't installed here. The page names them at its
end.
"""

import re
import sys
import tomllib
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "licenses.md"
OURS = "governance"
RUNTIME = "Installed with the product, with every extra"
DEVELOPMENT = "Development only"
OTHERS = "For other systems"
HEAD = """# Licenses of dependencies

`make licenses` writes this page from `uv.lock` and the metadata of the installed packages. What their
copyleft means is in [security.md](security.md). The owner hasn't chosen the product's license yet.
"""
NOT_STATED = "not stated in its metadata"
MAX_LENGTH = 80  # A longer field is the license's text.
# SPDX identifiers of long classifier names and old fields.
SPDX = {
    "MIT License": "MIT",
    "Apache Software License": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0",
    "GNU General Public License v3 or later (GPLv3+)": "GPL-3.0-or-later",
    "ISC License (ISCL)": "ISC",
    "Python Software Foundation License": "PSF-2.0",
}


def packages() -> Mapping[str, Mapping[str, Any]]:
    """Return the packages of the lock by name."""
    lock = tomllib.loads((ROOT / "uv.lock").read_text())
    return {each["name"]: each for each in lock["package"]}


def closure(known: Mapping[str, Mapping[str, Any]], first: Iterable[Mapping[str, Any]]) -> set[str]:
    """Return the names of these dependencies and all of their transitive dependencies."""
    found, waiting = set(), list(first)
    while waiting:
        one = waiting.pop()
        for place in (one["name"], *(f"{one['name']}[{extra}]" for extra in one.get("extra", ()))):
            if place in found:
                continue
            found.add(place)
            name, _, extra = place.rstrip("]").partition("[")
            package = known[name]
            waiting += (
                package.get("optional-dependencies", {}).get(extra, ())
                if extra
                else package.get("dependencies", ())
            )
    return {place for place in found if "[" not in place}


def runtime_and_development() -> tuple[set[str], set[str]]:
    """Return the packages of an installation with every extra, and those of development alone."""
    known = packages()
    product = known[OURS]
    extras = [each for group in product["optional-dependencies"].values() for each in group]
    runtime = closure(known, [*product["dependencies"], *extras])
    return runtime, known.keys() - runtime - {OURS}


def license_of(name: str) -> str | None:
    """Return the license that an installed package's metadata states, or None if not installed."""
    try:
        stated = metadata(name)
    except PackageNotFoundError:
        return None
    named = [
        each.rpartition(" :: ")[2]
        for each in stated.get_all("Classifier", ())
        if each.startswith("License :: ") and not each.endswith(":: OSI Approved")
    ]
    old = (stated.get("License") or "").strip()
    if re.match(r"Apache License\s+Version 2\.0", old):
        old = "Apache-2.0"
    short = old if old and "\n" not in old and len(old) <= MAX_LENGTH else ""
    spelled = "; ".join(SPDX.get(each, each) for each in named or [short] if each)
    return stated.get("License-Expression") or spelled or NOT_STATED


def page() -> str:
    """Return the page as Markdown."""
    lines, absent = [HEAD], []
    for title, names in zip((RUNTIME, DEVELOPMENT), runtime_and_development(), strict=True):
        rows = {name: license_of(name) for name in sorted(names)}
        absent += [name for name, found in rows.items() if found is None]
        lines += [f"\n## {title}\n\n| package | license |\n| --- | --- |\n"]
        lines += [f"| {name} | {found} |\n" for name, found in rows.items() if found]
    return "".join([*lines, f"\n## {OTHERS}\n\n", ", ".join(sorted(absent)), ".\n"])


def main() -> None:
    PAGE.write_text(page())
    sys.stdout.write(f"{PAGE.relative_to(ROOT)} written\n")


if __name__ == "__main__":
    main()
