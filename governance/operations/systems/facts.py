"""Facts about a system in the register: parsed, compared, and judged. Pure.

FACTS                                   the fields that people edit, in the order of the page
cleaned(given)                          the values as versions store them; raises Invalid
kept(value), column_value(name, value)  from a column to a version's value, and back
differences(before, after)              (name, before, after) of each difference
substantial_changes(before, after)      the reasons why a change is a substantial one
readable(name, value)                   a value as people read it
model_family(provider, name)            "openai/gpt-4o" for gpt-4o-mini-2026-08-01
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from governance.kernel.days import parse_day
from governance.kernel.errors import Invalid
from governance.kernel.formatting import long_day
from governance.operations.systems.models import (
    AI_ACT_CLASSES,
    AUTONOMY,
    EU_ROLES,
    KINDS,
    LANES,
    STAGES,
)

MAX_TEXT_LENGTH = 2000
MAX_LINE_LENGTH = 200
MAX_LINES = 50  # Maximum of one list
MAX_MODELS = 20
MODEL_PARTS = ("provider", "name", "version", "retires_on", "successor")

type Content = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Fact:
    """One field. `shape` is line, text, lines, models, day or choice; `choices` may be left blank."""

    name: str
    label: str
    shape: str
    choices: Mapping[str, str] | None = None
    may_be_blank: bool = True


FACTS = (
    Fact("name", "Name", "line", may_be_blank=False),
    Fact("purpose", "Purpose", "text", may_be_blank=False),
    Fact("kind", "Kind", "choice", KINDS, may_be_blank=False),
    Fact("team", "Team", "line"),
    Fact("intended_users", "Intended users", "text"),
    Fact("autonomy", "Autonomy", "choice", AUTONOMY),
    Fact("autonomy_note", "Limits of its autonomy", "line"),
    Fact("ai_act_class", "EU AI Act class", "choice", AI_ACT_CLASSES),
    Fact("ai_act_reason", "Reasons for the EU AI Act class", "text"),
    Fact("eu_role", "Role under the EU AI Act", "choice", EU_ROLES),
    Fact("placed_on", "On the market or in service since", "day"),
    Fact("models", "Models", "models"),
    Fact("data_sets", "Data sets", "lines"),
    Fact("dependencies", "Dependencies", "lines"),
    Fact("capabilities", "Capabilities", "lines"),
    Fact("limits", "Limits", "lines"),
    Fact("memory_control", "Memory", "line"),
    Fact("sources_control", "Sources", "line"),
    Fact("tone_control", "Tone", "line"),
    Fact("verify_control", "Verify with search", "line"),
    Fact("why_shown", "Why am I seeing this", "text"),
    Fact("tools", "Tools it may call", "lines"),
    Fact("tool_permissions", "Permissions", "lines"),
)
BY_NAME = {each.name: each for each in FACTS}
# Further fields of a version.
OTHERS = {
    "lane": "Risk class",
    "stage": "Lifecycle stage",
    "owner": "Owner",
    "valid_until": "Valid until",
    "law_version": "Class under the law",
    "features": "Features",
}
DAYS = {"valid_until": "", "placed_on": "", "law_version": "As of "}  # Text before each day
LABELS = {**{each.name: each.label for each in FACTS}, **OTHERS}
REASONS = {
    "purpose": "the purpose changes",
    "model_family": "the model family changes",
    "data_sets": "the data sets change",
    "autonomy": "the autonomy changes",
    "intended_users": "the intended users change",
    "eu_role": "the role under the EU AI Act changes",
}
BEFORE_APPROVAL = ("proposed", "in_review")  # Stages before any approval that could become stale

# ---- input


def cleaned(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return these facts as versions store them. Lists may be text with one entry per line.

    Raises Invalid for the first wrong one, with its field.
    """
    return {name: _cleaned(BY_NAME[name], value) for name, value in given.items()}


def _cleaned(fact: Fact, value: Any) -> Any:
    if fact.shape == "models":
        return models_of(value)
    if fact.shape == "lines":
        return _lines(fact, value)
    if fact.shape == "day":
        return _day(fact, value)
    return _text(fact, value)


def _day(fact: Fact, value: Any) -> str:
    if not value or isinstance(value, date):
        return kept(value) or ""
    try:
        return parse_day(str(value)).isoformat()
    except Invalid as wrong:
        raise Invalid(f"{fact.label}: {wrong.message}", field=fact.name) from wrong


def kept(value: Any) -> Any:
    """Return the value of a column as versions store it: a day as text, "" for none."""
    return value.isoformat() if isinstance(value, date) else "" if value is None else value


def column_value(name: str, value: Any) -> Any:
    """Return a cleaned value as its column stores it."""
    if name in BY_NAME and BY_NAME[name].shape == "day":
        return date.fromisoformat(value) if value else None
    return value


def _text(fact: Fact, value: Any) -> str:
    word = str(value or "").strip()
    if fact.shape == "line":
        word = " ".join(word.split())
    if not word and not fact.may_be_blank:
        raise Invalid(f"{fact.label}: enter a value.", field=fact.name)
    if fact.choices is not None and word and word not in fact.choices:
        raise Invalid(f"{fact.label}: choose one of the values.", field=fact.name)
    longest = MAX_LINE_LENGTH if fact.shape == "line" else MAX_TEXT_LENGTH
    if len(word) > longest:
        raise Invalid(f"{fact.label}: at most {longest:,} characters.", field=fact.name)
    return word


def _split(value: Any) -> list[Any]:
    return str(value).splitlines() if isinstance(value, str) else list(value or ())


def _lines(fact: Fact, value: Any) -> list[str]:
    stripped = (" ".join(str(each).split()) for each in _split(value))
    lines = list(dict.fromkeys(each for each in stripped if each))
    if len(lines) > MAX_LINES:
        raise Invalid(f"{fact.label}: at most {MAX_LINES} lines.", field=fact.name)
    for number, line in enumerate(lines, 1):
        if len(line) > MAX_LINE_LENGTH:
            raise Invalid(
                f"{fact.label}, line {number}: at most {MAX_LINE_LENGTH} characters.",
                field=fact.name,
            )
    return lines


def models_of(value: Any) -> list[dict[str, str]]:
    """Parse models from text, or from a list of mappings.

    Each line of text is "provider, name, version, retirement day"; the version and the day may be
    missing.
    """
    given = [each for each in _split(value) if not isinstance(each, str) or each.strip()]
    if len(given) > MAX_MODELS:
        raise Invalid(f"Models: at most {MAX_MODELS}.", field="models")
    found: dict[tuple[str, str, str], dict[str, str]] = {}
    for number, each in enumerate(given, 1):
        model = _model(each, number)
        found.setdefault((model["provider"], model["name"], model["version"]), model)
    return list(found.values())


def _model(given: Any, number: int) -> dict[str, str]:
    if isinstance(given, str):
        words = [" ".join(word.split()) for word in given.split(",")]
        if len(words) > len(MODEL_PARTS):
            raise _wrong_model(number, "at most five parts, separated by commas")
        given = dict(zip(MODEL_PARTS, words, strict=False))
    model = {part: " ".join(str(given.get(part) or "").split()) for part in MODEL_PARTS}
    if not model["provider"] or not model["name"]:
        raise _wrong_model(number, "enter the provider and the name, separated by a comma")
    if max(map(len, model.values())) > MAX_LINE_LENGTH:
        raise _wrong_model(number, f"at most {MAX_LINE_LENGTH} characters for each part")
    if model["retires_on"]:
        try:
            model["retires_on"] = parse_day(model["retires_on"]).isoformat()
        except Invalid as wrong:
            raise _wrong_model(number, "write the retirement day as 2027-03-31") from wrong
    return model


def _wrong_model(number: int, what: str) -> Invalid:
    return Invalid(f"Models, line {number}: {what}.", field="models")


def models_text(models: Iterable[Mapping[str, str]]) -> str:
    """Return models as the form shows them, one per line."""
    rows = ([each.get(part, "") for part in MODEL_PARTS] for each in models)
    return "\n".join(", ".join(row).rstrip(", ") for row in rows)


# ---- differences


def differences(before: Content, after: Content) -> list[tuple[str, Any, Any]]:
    """Return (name, before, after) of each fact that differs, in the order of the page."""
    return [
        (name, before.get(name), after.get(name))
        for name in LABELS
        if (before.get(name) or None) != (after.get(name) or None)
    ]


def substantial_changes(before: Content, after: Content) -> tuple[str, ...]:
    """Return why this change is substantial, as keys of REASONS; empty if it isn't.

    White space, case and the full stop at the end don't count. A fact that is entered for the first
    time completes the record and doesn't count either, and nothing counts while the system is
    proposed or in review. Article 3(23) of Regulation (EU) 2024/1689 asks if a change affects
    compliance or the intended purpose; a person decides that, from these reasons.
    """
    if before.get("stage") in BEFORE_APPROVAL:
        return ()
    old, new = _compared(before), _compared(after)
    return tuple(name for name in REASONS if old[name] and old[name] != new[name])


def _compared(content: Content) -> dict[str, Any]:
    return {
        "purpose": _plain(content.get("purpose")),
        "model_family": {
            model_family(each["provider"], each["name"]) for each in content.get("models") or ()
        },
        "data_sets": {_plain(each) for each in content.get("data_sets") or ()},
        "autonomy": tuple(
            filter(None, (content.get("autonomy"), _plain(content.get("autonomy_note"))))
        ),
        "intended_users": _plain(content.get("intended_users")),
        "eu_role": content.get("eu_role"),
    }


def _plain(text: Any) -> str:
    return " ".join(str(text or "").split()).casefold().rstrip(".")


_DATED = re.compile(r"\d{4,}")  # The date of a snapshot, as in 20250929 or 2407


def model_family(provider: str, name: str) -> str:
    """Return the provider and family of a model: its name up to the first version number.

    "helio-4-large" and "helio-4-small" are one family, "helio-5-large" is another. A name without
    a version is its own family.
    """
    words: list[str] = []
    for word in re.split(r"[-_ :@]+", name.strip().lower().rpartition("/")[2]):
        if _DATED.fullmatch(word):
            break
        words.append(word)
        if any(letter.isdigit() for letter in word):
            break
    family = "-".join(words) or name.strip().lower()
    return f"{_plain(provider)}/{family}"


# ---- text for readers


def readable(name: str, value: Any, names: Mapping[str, str] | None = None) -> str | None:
    """Return a fact as people read it, or None for a blank one.

    `names` are people's names by id, for the owner.
    """
    if value in (None, "", [], {}):
        return None
    if name == "features":
        return "; ".join(f"{key}: {fallback}" for key, fallback in sorted(value.items()))
    if name == "models":
        return "; ".join(map(model_words, value))
    if name == "owner":
        return (names or {}).get(str(value), "a former member")
    if name in DAYS:
        return f"{DAYS[name]}{long_day(date.fromisoformat(value))}"
    choices = {"lane": LANES, "stage": STAGES}.get(name)
    if choices is None and name in BY_NAME:
        choices = dict(BY_NAME[name].choices or {})
    return "; ".join(value) if isinstance(value, list) else (choices or {}).get(value, value)


def model_words(model: Mapping[str, str]) -> str:
    """Return "Helio helio-4-large 2026-08, retires 31 March 2027"."""
    words = " ".join(filter(None, (model["provider"], model["name"], model["version"])))
    if not model["retires_on"]:
        return words
    return f"{words}, retires {long_day(date.fromisoformat(model['retires_on']))}"


def listed(reasons: Iterable[str]) -> str:
    """Return "the purpose changes and the data sets change"."""
    words = [REASONS.get(each, each) for each in reasons]
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1] if words else "")))
