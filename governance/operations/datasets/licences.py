"""Licences by their SPDX identifiers (https://spdx.org/licenses/). Pure.

spdx("mit OR apache-2.0")                 "MIT OR Apache-2.0"; None if it isn't valid
of_address("https://…/licenses/by/4.0/")  the identifier of an address, or None
"""

import re

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

MAX_EXPRESSION_LENGTH = 200
CREATIVE_COMMONS = re.compile(
    r"creativecommons\.org/licenses/(by(?:-(?:nc|nd|sa)){0,2})/(\d\.\d)(?:/|$)"
)
ZERO = re.compile(r"creativecommons\.org/publicdomain/zero/1\.0(?:/|$)")
LAST_PART = re.compile(
    r"(?:spdx\.org/licenses|opensource\.org/licen[sc]es?(?:/license)?|choosealicense\.com/licenses)"
    r"/([\w.+-]{1,60}?)(?:\.html|\.txt|\.json)?/?$",
    re.ASCII,
)
OTHERS = {
    "apache.org/licenses/LICENSE-2.0": "Apache-2.0",
    "opendatacommons.org/licenses/by/1-0": "ODC-By-1.0",
    "opendatacommons.org/licenses/odbl/1-0": "ODbL-1.0",
    "opendatacommons.org/licenses/pddl/1-0": "PDDL-1.0",
    "cdla.dev/permissive-2-0": "CDLA-Permissive-2.0",
    "cdla.dev/sharing-1-0": "CDLA-Sharing-1.0",
}


def spdx(text: str) -> str | None:
    """Return the expression in SPDX spelling, or None if it isn't an SPDX expression.

    A LicenseRef isn't accepted, since it names a text that only its author has.
    """
    written = text.strip()
    if not written or len(written) > MAX_EXPRESSION_LENGTH or "licenseref" in written.lower():
        return None
    try:
        return str(canonicalize_license_expression(written))
    except InvalidLicenseExpression:
        return None


def of_address(text: str) -> str | None:
    """Return the SPDX identifier of a licence's well-known address, or None."""
    address = text.strip()
    if found := CREATIVE_COMMONS.search(address):
        return spdx(f"CC-{found[1]}-{found[2]}")
    if ZERO.search(address):
        return "CC0-1.0"
    if found := LAST_PART.search(address):
        return spdx(found[1])
    bare = re.sub(r"(\.html|\.txt)?/?$", "", address.partition("://")[2].removeprefix("www."))
    return OTHERS.get(bare)
