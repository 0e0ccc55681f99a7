"""Words of objects that can be found, and of what people type to find them.

words_of("Ångström, CC7.3")      angstrom, cc7, 3: in lower case, without accents
typed("review gov")              a match has a word that begins with each of these
found_in(typed, text, …)         whether texts in memory have them
has_words(typed, column, …)      the same as SQL, for few rows; many are in foundation/search
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, and_, func, literal_column, true

MAX_TYPED_LENGTH = 200  # Characters; the rest is ignored.
MAX_TYPED_WORDS = 8
MAX_WORD_LENGTH = 40
WORD = re.compile(r"[^\W_]+")
# Letters that Unicode doesn't decompose.
PLAIN = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "\u0131": "i", "æ": "ae", "œ": "oe", "þ": "th"}
)
# Too common in English for a search to begin with them.
COMMON_WORDS = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "by",
        "for",
        "from",
        "in",
        "is",
        "of",
        "on",
        "or",
        "that",
        "the",
        "to",
        "with",
    ]
)
ACCENTS = "[\u0300-\u036f]"


@dataclass(frozen=True, slots=True)
class Typed:
    """The words that somebody typed, and their letters and digits alone ("CC7.3" is cc73)."""

    words: tuple[str, ...]
    code: str

    def __bool__(self) -> bool:
        return bool(self.words)


def typed(text: str) -> Typed:
    """Read what somebody typed. Any text is allowed: only letters and digits count."""
    words = words_of(text[:MAX_TYPED_LENGTH])
    return Typed(tuple(dict.fromkeys(words))[:MAX_TYPED_WORDS], "".join(words))


def words_of(text: str) -> list[str]:
    """Return the words of a text, in its order."""
    decomposed = unicodedata.normalize("NFKD", text.casefold().translate(PLAIN))
    plain = "".join(each for each in decomposed if not unicodedata.combining(each))
    return [word[:MAX_WORD_LENGTH] for word in WORD.findall(plain.casefold())]


@lru_cache(maxsize=4096)
def folded(text: str) -> str:
    """Return the words of a text with a blank before and after each.

    A number also occurs without its leading zeros: 12 finds A-0012.
    """
    words = words_of(text)
    return f" {' '.join([*words, *_short_numbers(words)])} "


def _short_numbers(words: list[str]) -> list[str]:
    short = (word.lstrip("0") for word in words if word.isdigit() and word.startswith("0"))
    return [word for word in short if word]


def found_in(what: Typed, *texts: str) -> bool:
    """Return whether each typed word begins a word of the texts."""
    words = "".join(map(folded, texts))
    return all(f" {word}" in words for word in what.words)


def has_words(what: Typed, *columns: Any) -> ColumnElement[bool]:
    """Return `found_in` as SQL. It reads every row that the rest of the statement leaves."""
    plain = func.normalize(func.concat_ws(" ", *columns), literal_column("NFKD"))
    text = func.lower(func.regexp_replace(plain, ACCENTS, "", "g"))
    return and_(true(), *(text.regexp_match(rf"\m{word}") for word in what.words))


def rank(what: Typed, ref: str, title: str) -> int:
    """Return the rank of a match: 0 is its reference, 3 the beginnings of words."""
    code = "".join(words_of(ref))
    if code and code == what.code:
        return 0
    if code and code.startswith(what.code):
        return 1
    words = folded(f"{ref} {title}")
    return 2 if all(f" {word} " in words for word in what.words) else 3
