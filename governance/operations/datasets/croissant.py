"""Read a Croissant file, versions 1.0 and 1.1: the description of a data set as JSON-LD. Pure.

    read(data)        the content of a file that fits into a data set's version

Terms are compared by their full names, regardless of the prefix or alias in the file's own
`@context`; no context is ever downloaded. https://docs.mlcommons.org/croissant/
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from governance.operations.datasets import licences
from governance.operations.datasets.content import (
    MAX_LINE_LENGTH,
    MAX_TEXT_LENGTH,
    VersionContent,
)
from governance.operations.datasets.json_text import UnreadableFile
from governance.operations.datasets.json_text import read as read_json

SCHEMA, CROISSANT = "schema.org/", "mlcommons.org/croissant/"
RAI = f"{CROISSANT}RAI/"
PROV, DCT = "www.w3.org/ns/prov#", "purl.org/dc/terms/"
VERSIONS = ("1.0", "1.1")
PREFIXES = {
    "sc": SCHEMA,
    "cr": CROISSANT,
    "rai": RAI,
    "prov": PROV,
    "dct": DCT,
}
ALIASES = {"conformsTo": f"http://{DCT}conformsTo"}
MAX_NAME_LENGTH = 120
NO_SENSITIVE = frozenset({"none", "no", "n/a", "na", "not applicable", "none known"})
DAY = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?(?:T.*)?\Z", re.ASCII | re.DOTALL)


@dataclass(frozen=True, slots=True)
class CroissantDataSet:
    """The content of a file. `unread` are properties whose form Meridian doesn't know."""

    name: str
    description: str
    version: str  # Version of Croissant
    content: VersionContent
    unread: tuple[str, ...] = ()


@dataclass
class _Properties:
    """Properties of the data set by their full names, each with the key that the file uses."""

    found: Mapping[str, tuple[str, Any]]
    unread: list[str]

    def key(self, name: str, default: str) -> str:
        return self.found.get(name, (default, None))[0]

    def texts(self, name: str, *, required: bool = False) -> list[str]:
        """Return every text of the property. Other values are left out and listed as unread."""
        key, value = self.found.get(name, (name.rpartition("/")[2], None))
        texts = [" ".join(each.split()) for each in _texts(value)]
        texts = [each for each in texts if each]
        if required and not texts:
            raise UnreadableFile(f"{key}: expected text, which every Croissant file has here.")
        if value not in (None, "", [], {}) and not texts:
            self.unread.append(key)
        return list(dict.fromkeys(texts))

    def first(self, name: str) -> str:
        return next(iter(self.texts(name)), "")


def read(data: bytes) -> CroissantDataSet:
    """Return the content of the file. Raises UnreadableFile with the place and the reason."""
    tree = read_json(data)
    if not isinstance(tree, dict):
        raise UnreadableFile("The file isn't a JSON object. Choose the Croissant description.")
    if "\\u0000" in data.decode("utf-8-sig") or _has_broken_text(tree):
        raise UnreadableFile("The file contains characters that aren't text.")
    context = _context(tree.get("@context"))
    found = {_expand(key, context): (key, value) for key, value in tree.items()}
    _check_type(tree, context)
    properties = _Properties(found, [])
    version = _version(properties)
    content = _content(properties)
    return CroissantDataSet(
        properties.texts(f"{SCHEMA}name", required=True)[0][:MAX_NAME_LENGTH],
        "\n".join(properties.texts(f"{SCHEMA}description"))[:MAX_TEXT_LENGTH],
        version,
        replace(content, file_sha256=hashlib.sha256(data).hexdigest()),
        tuple(dict.fromkeys(properties.unread)),
    )


# ---- names


def _context(written: Any) -> dict[str, str]:
    """Return prefixes and aliases, `@vocab` among them."""
    parts = written if isinstance(written, list) else [written]
    found: dict[str, str] = {}
    for part in parts:
        if isinstance(part, str):
            if not _bare(part).startswith((SCHEMA.rstrip("/"), CROISSANT)):
                raise UnreadableFile(
                    f"@context: {part[:80]} isn't the context of Croissant, and Meridian downloads"
                    " none. Expected the context of Croissant 1.0 or 1.1."
                )
            found |= {"@vocab": f"https://{SCHEMA}", **ALIASES}
        elif isinstance(part, dict):
            for key, value in part.items():
                named = value.get("@id") if isinstance(value, dict) else value
                if isinstance(named, str):
                    found[key] = named
        else:
            raise UnreadableFile("@context: expected the context of Croissant 1.0 or 1.1.")
    if not _bare(found.get("@vocab", "")).startswith(SCHEMA.rstrip("/")) and "sc" not in found:
        raise UnreadableFile(
            "@context: it doesn't name schema.org, so this isn't a Croissant file. Expected the"
            " context of Croissant 1.0 or 1.1."
        )
    return found


def _expand(term: str, context: Mapping[str, str], depth: int = 0) -> str:
    """Return the full name of a term, without its scheme."""
    if term.startswith("@") or depth > 3:  # noqa: PLR2004 - an alias of a prefix of a name
        return term
    if term in context and context[term] != term:
        return _expand(context[term], context, depth + 1)
    prefix, colon, rest = term.partition(":")
    if colon and not rest.startswith("//"):
        base = context.get(prefix) or PREFIXES.get(prefix)
        return _bare(base) + rest if base else term
    return _bare(term) if colon else _bare(context.get("@vocab", "")) + term


def _bare(address: str) -> str:
    bare = re.sub(r"^https?://", "", address)
    return (
        f"{SCHEMA}{bare[len('www.schema.org/') :]}" if bare.startswith("www.schema.org/") else bare
    )


def _check_type(tree: Mapping[str, Any], context: Mapping[str, str]) -> None:
    kinds = tree.get("@type")
    named = kinds if isinstance(kinds, list) else [kinds]
    if not any(
        isinstance(each, str) and _expand(each, context) == f"{SCHEMA}Dataset" for each in named
    ):
        raise UnreadableFile("@type: expected a schema.org Dataset.")


def _version(properties: _Properties) -> str:
    """Return the version of Croissant that the file declares."""
    name = f"{DCT}conformsTo"
    declared = [_bare(each).rstrip("/") for each in properties.texts(name)]
    known = [each for each in VERSIONS if f"{CROISSANT}{each}" in declared]
    if not known:
        says = ", ".join(declared)[:80] or "nothing"
        raise UnreadableFile(
            f"{properties.key(name, 'conformsTo')}: found {says}. Expected"
            " http://mlcommons.org/croissant/1.0 or 1.1."
        )
    return known[-1]


# ---- values


def _texts(value: Any) -> Iterator[str]:
    """Return every text of a value: of lists, and the name or address of an object."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield str(value)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, dict):
        names = ("@value", "name", "sc:name", "prov:label", "url", "sc:url", "@id")
        told = next((value[name] for name in names if isinstance(value.get(name), str)), None)
        if told is not None:
            yield told


def _has_broken_text(value: Any) -> bool:
    """Return True if any text contains a lone surrogate or a NUL."""
    if isinstance(value, str):
        return "\0" in value or any("\ud800" <= c <= "\udfff" for c in value)
    if isinstance(value, dict):
        return any(_has_broken_text(k) or _has_broken_text(v) for k, v in value.items())
    return isinstance(value, list) and any(_has_broken_text(each) for each in value)


def _content(properties: _Properties) -> VersionContent:
    licence, own = _licence(properties)
    oldest, newest = _records(properties)
    url = properties.first(f"{SCHEMA}url")
    return VersionContent(
        provenance=_provenance(properties)[:MAX_TEXT_LENGTH],
        source_url=url if url.startswith(("https://", "http://")) else "",
        source_version=properties.first(f"{SCHEMA}version")[:MAX_LINE_LENGTH],
        licence=licence,
        licence_text=own[:MAX_TEXT_LENGTH],
        personal_data=_personal_data(properties),
        oldest_record=oldest,
        newest_record=newest,
        known_gaps=_gaps(properties)[:MAX_TEXT_LENGTH],
    )


def _licence(properties: _Properties) -> tuple[str, str]:
    """Return (SPDX expression, ""), or ("", own text); several known licences apply together."""
    written = properties.texts(f"{SCHEMA}license")
    known = [licences.spdx(each) or licences.of_address(each) for each in written]
    if written and all(known):
        parts = [f"({each})" if " " in each else each for each in known if each]
        return licences.spdx(" AND ".join(parts)) or "", ""
    return "", "\n".join(written)


def _provenance(properties: _Properties) -> str:
    """Return where the data comes from, each part with its heading."""
    parts = (
        ("Created by", f"{SCHEMA}creator"),
        ("Published by", f"{SCHEMA}publisher"),
        ("Published on", f"{SCHEMA}datePublished"),
        ("Collection", f"{RAI}dataCollection"),
        ("Kind of collection", f"{RAI}dataCollectionType"),
        ("Derived from", f"{PROV}wasDerivedFrom"),
        ("Made by", f"{PROV}wasGeneratedBy"),
        ("Attributed to", f"{PROV}wasAttributedTo"),
        ("Conditions of use", f"{SCHEMA}usageInfo"),
    )
    lines = [(label, ", ".join(properties.texts(name))) for label, name in parts]
    return " ".join(f"{label}: {text.rstrip('.')}." for label, text in lines if text)


def _gaps(properties: _Properties) -> str:
    names = ("dataLimitations", "dataBiases", "dataCollectionMissingData")
    found = (text for name in names for text in properties.texts(f"{RAI}{name}"))
    return " ".join(f"{text.rstrip('.')}." for text in found)


def _personal_data(properties: _Properties) -> str:
    told = properties.texts(f"{RAI}personalSensitiveInformation")
    if not told:
        return ""
    return "no" if all(each.lower().rstrip(".") in NO_SENSITIVE for each in told) else "yes"


def _records(properties: _Properties) -> tuple[date | None, date | None]:
    """Return the days of the oldest and the newest record, if the file has them."""
    for name in (f"{RAI}dataCollectionTimeframe", f"{SCHEMA}temporalCoverage"):
        texts = [part for text in properties.texts(name) for part in text.split("/")]
        days = [(_day(text, last=False), _day(text, last=True)) for text in texts]
        known = [(first, last) for first, last in days if first and last]
        if len(known) > 1:
            return min(first for first, _ in known), max(last for _, last in known)
        if known and len(texts) == 1:
            return known[0]
        if known:
            # "2020-01-01/.." has no end
            return (known[0][0], None) if days[0][0] else (None, known[0][1])
        if texts:
            properties.unread.append(properties.key(name, name))
    return None, None


def _day(text: str, *, last: bool) -> date | None:
    """Parse a day of ISO 8601. For a year or a month, return its first or last day."""
    found = DAY.match(text.strip())
    if found is None:
        return None
    year, month, of_month = (int(each) if each else None for each in found.groups())
    try:
        if of_month is not None and month is not None:
            return date(year or 0, month, of_month)
        if not last:
            return date(year or 0, month or 1, 1)
        following = (year or 0) * 12 + (month or 12)
        return date.fromordinal(date(following // 12, following % 12 + 1, 1).toordinal() - 1)
    except ValueError:
        return None
