"""Decide whether a publisher's file belongs to a framework, from its ids and names. Pure functions.

    measure_fit(file, catalogue)   how many ids are the framework's, and whether the file belongs
    best_fit(file)                 the built-in framework that the file belongs to
    do_most_belong(...)            the threshold
    ref_in(spellings, refs)        the framework's own spelling of an id

MP-1 is a short form of MAP 1, but also a media protection control of SP 800-53, so a single
look-alike id proves nothing.
"""

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from governance.assurance.frameworks.catalogue import Catalogue, all_catalogues, normalise_ref
from governance.assurance.frameworks.publisher_file import PublisherFile


def _named(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE | re.ASCII)


OWASP_LLM = r"(?=.*\bowasp)(?=.*\b(?:llm|large[ -]language))(?=.*\btop[ -]?(?:10|ten))"
BUILT_IN: Mapping[str, re.Pattern[str]] = {
    "nist-ai-rmf-1.0": _named(
        r"\bai[ _-]?rmf\b",
        r"\b(?:ai|artificial intelligence) risk management framework",
        r"\bai[ .-]100-1\b",
    ),
    "nist-ai-600-1": _named(
        r"\bai[ .-]600-1\b", r"\bgenerative (?:ai|artificial intelligence) profile"
    ),
    "owasp-llm-2026": _named(OWASP_LLM + r"(?=.*\b2026\b)"),
    "owasp-llm-2025": _named(OWASP_LLM + r"(?=.*\b2025\b)"),
    "soc2-tsc-2017": _named(r"\bsoc[ _-]?2\b", r"\btrust services criteria"),
}
OTHER_FRAMEWORKS = _named(
    r"\b800-(?:53|171|172|218)",
    r"\bcybersecurity framework",
    r"\bcsf\b",
    r"\b(?:iso|iec)[ /-]*(?:iec)?[ -]*[0-9]",
    r"\bfedramp\b",
    r"\bpci[ -]dss\b",
    r"\bcis\b.*\bcontrols\b",
    r"\bhipaa\b",
    r"\bcmmc\b",
    r"\b(?:eu )?ai act\b",
)
TWO_NUMBERS = re.compile(r"[0-9][^0-9]+[0-9]")
FULL_NAME = re.compile(r"(?:govern|map|measure|manage)[ :_-]*[0-9]", re.IGNORECASE | re.ASCII)
PREFIXED = re.compile(r"(?:nist[ :_-]*)?ai[ :_-]", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class FrameworkFit:
    """The fit of a file to a framework, as numbers of its ids.

    Of `total` ids, `alike` are in the framework, and `distinctive` of these are unmistakable.
    `is_named`: the file names this framework. `is_another`: it names only another one.
    """

    total: int
    alike: int
    distinctive: int
    is_named: bool
    is_another: bool

    @property
    def belongs(self) -> bool:
        """Whether the file may be imported into the framework."""
        return not self.is_another and do_most_belong(
            self.total, self.alike, self.distinctive, is_named=self.is_named
        )


def do_most_belong(total: int, alike: int, distinctive: int, *, is_named: bool) -> bool:
    """Check whether more than half of the ids that tell frameworks apart belong to one framework.

    Of `total` ids, `alike` are the framework's in some spelling, and `distinctive` of these are
    unlikely in any other framework. Other look-alikes (MP-1, GOVERN) don't count, unless the file
    names the framework: then they count for it. 0 <= distinctive <= alike <= total.
    """
    if is_named:
        return 2 * alike > total
    return 2 * distinctive > total - (alike - distinctive)


def is_distinctive(spelling: str) -> bool:
    """Check whether an id, as written, is unlikely to belong to another framework.

    Such an id has two numbers (GV-1.1, A1.2, LLM01:2025), a full name with a number (MAP 1) or a
    prefix that names the framework (ai-rmf-mp-1). A short code or a word isn't enough: MP-1, GV,
    Measure, CC6.
    """
    return any(pattern.match(spelling) for pattern in (FULL_NAME, PREFIXED)) or bool(
        TWO_NUMBERS.search(spelling)
    )


def ref_in(spellings: tuple[str, ...], refs: AbstractSet[str]) -> str | None:
    """Return the framework's spelling of an id, or None. The most distinctive spelling decides."""
    found = _match(_readings(spellings), refs)
    return found[0] if found else None


def measure_fit(file: PublisherFile, catalogue: Catalogue) -> FrameworkFit:
    """Count the file's ids that are the framework's. An id with several texts counts once."""
    return _fit(file.names, _all_readings(file), catalogue)


def best_fit(file: PublisherFile) -> Catalogue | None:
    """Return the built-in framework that the file belongs to, or None.

    If there are several, return the one with the most ids of the file.
    """
    readings = _all_readings(file)
    fits = [(each, _fit(file.names, readings, each)) for each in all_catalogues()]
    belonging = [(each, found.alike) for each, found in fits if found.belongs]
    return max(belonging, key=lambda each: each[1])[0] if belonging else None


type Readings = tuple[
    tuple[str, str], ...
]  # (possible ref, spelling in the file), the file's preferred spelling first.


def _readings(spellings: tuple[str, ...]) -> Readings:
    return tuple(
        (ref, each) for each in spellings for ref in (each, normalise_ref(each)) if ref is not None
    )


def _all_readings(file: PublisherFile) -> list[Readings]:
    return [_readings(each) for each in {text.spellings for text in file.texts}]


def _match(readings: Readings, refs: AbstractSet[str]) -> tuple[str, bool] | None:
    """Return (ref, whether it is distinctive), or None if the framework has no such id."""
    known = [(ref, is_distinctive(spelled)) for ref, spelled in readings if ref in refs]
    return max(known, key=lambda each: each[1], default=None)


def _fit(names: tuple[str, ...], ids: list[Readings], catalogue: Catalogue) -> FrameworkFit:
    refs = catalogue.refs
    certain: dict[str, bool] = {}
    foreign: set[str] = set()
    for readings in ids:
        if found := _match(readings, refs):
            certain[found[0]] = certain.get(found[0], False) or found[1]
        else:
            foreign.add(readings[0][1])
    named = {
        key for key, pattern in BUILT_IN.items() if any(pattern.search(name) for name in names)
    }
    another = bool(named) or any(OTHER_FRAMEWORKS.search(name) for name in names)
    is_named = catalogue.key in named
    return FrameworkFit(
        len(certain) + len(foreign),
        len(certain),
        sum(certain.values()),
        is_named,
        another and not is_named,
    )
