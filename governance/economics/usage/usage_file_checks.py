"""Checks that DuckDB runs on each row of a usage file, as SQL, with an error text for each. Pure.

A file has the fields of an event and `tenant`, the slug of a customer. In CSV and Parquet each
token bucket is a column (`input_tokens`); in JSON Lines an event is written as in the API. Every
field is a text in SQL, and NULL if it is missing.

    CHECKS                  in order: the first that applies is the reason for the rejection
    RIGHT                   true if none of them applies to a row
    WRONG                   the number of the check that applies, 0 if none does
    columns_of(header, …)   the expression of each field in a table with these columns
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from governance.economics.usage.usage_events import (
    BUCKETS,
    FIELDS,
    MAX_TOKENS,
    OUTCOMES,
    PATTERNS,
    REQUIRED,
    SENTENCES,
)

TOKENS = tuple(f"{each}_tokens" for each in BUCKETS)
TEXTS = ("id", "feature", "provider", "model", "outcome", "request", "task", "user")
COLUMNS = ("tenant", *(name for name in FIELDS if name != "tokens"), *TOKENS)
NEEDED = ("tenant", *REQUIRED)
MAX_REJECTED = 100_000  # rows that are listed with their reason
INSTANT = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d(:?\d\d)?)"
LOCAL = r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?)?"

# Numbers of errors that aren't found row by row.
REPEATED = 200  # the same id with other content in the file


@dataclass(frozen=True, slots=True)
class Check:
    """A check of a field: `when` is SQL over the fields of a row, true if the row is invalid."""

    field: str
    sentence: str
    when: str


def name(column: str) -> str:
    """Return a field as a quoted SQL name."""
    return f'"{column}"'


def _matches(column: str, pattern: str) -> str:
    return f"regexp_full_match({name(column)}, '{pattern}')"


def _needed(column: str) -> Check:
    return Check(column, f"Enter {column}.", f"{name(column)} IS NULL")


def _form(column: str) -> Check:
    sentence = SENTENCES[column]
    return Check(column, sentence, f"NOT {_matches(column, PATTERNS[column])}")


def _tokens(column: str) -> Sequence[Check]:
    return (
        Check(column, f"{column} is negative.", _matches(column, r"-\d+")),
        Check(column, f"{column} must be a whole number.", f"NOT {_matches(column, r'\d+')}"),
        Check(
            column,
            f"{column} is more than {MAX_TOKENS:,}.",
            f"length({name(column)}) > 10 OR TRY_CAST({name(column)} AS BIGINT) > {MAX_TOKENS}",
        ),
    )


LISTED = ", ".join(f"'{each}'" for each in OUTCOMES)
CHECKS: tuple[Check, ...] = (
    Check("", "The line isn't the JSON object of an event.", "broken"),
    Check("", f"The fields of a row are {', '.join(COLUMNS)}.", "strange"),
    *map(_needed, NEEDED),
    Check("tenant", "No customer has this slug.", "tenant_no IS NULL"),
    _form("system"),
    Check("system", "The customer has no AI system with this slug.", "system_id IS NULL"),
    _form("id"),
    Check("at", "The instant has no time zone. Add Z for UTC.", _matches("at", LOCAL)),
    Check(
        "at",
        "Write an instant such as 2026-11-25T09:14:03Z.",
        f"instant IS NULL OR NOT {_matches('at', INSTANT)}",
    ),
    Check("at", "The event is in the future.", "instant > $latest"),
    Check("at", "The event is older than 400 days.", "instant < $earliest"),
    _form("model"),
    Check("outcome", f"outcome is one of {', '.join(OUTCOMES)}.", f"outcome NOT IN ({LISTED})"),
    *map(_form, ("feature", "provider", "request", "task", "user")),
    *(check for column in TOKENS for check in _tokens(column)),
)
# True for most valid rows, and for no other: faster than every check in turn.
RIGHT = " AND ".join(
    (
        "NOT broken",
        "NOT strange",
        "tenant_no IS NOT NULL",
        "system_id IS NOT NULL",
        "instant BETWEEN $earliest AND $latest",
        _matches("at", INSTANT),
        f"outcome IN ({LISTED})",
        *(_matches(each, PATTERNS[each]) for each in ("id", "model")),
        *(
            f"coalesce({_matches(each, PATTERNS[each])}, true)"
            for each in ("feature", "provider", "request", "task", "user")
        ),
        *(f"coalesce({_matches(each, r'\d{1,9}')}, true)" for each in TOKENS),
    )
)
WRONG = "CASE WHEN {} THEN 0 {} ELSE 0 END".format(
    RIGHT, " ".join(f"WHEN {check.when} THEN {n}" for n, check in enumerate(CHECKS, 1))
)
VALUE = "CASE wrong {} END".format(
    " ".join(
        f"WHEN {n} THEN {name(check.field)}" for n, check in enumerate(CHECKS, 1) if check.field
    )
)  # the field that the check is about


def reason(number: int) -> tuple[str, str]:
    """Return the field and the error text of a check."""
    if number == REPEATED:
        return "id", "Another row of the file has this id and different content."
    check = CHECKS[number - 1]
    return check.field, check.sentence


def columns_of(header: Sequence[str]) -> Mapping[str, str]:
    """Return the expression of each field in a table whose columns are those of `header`."""
    return {
        each: f"CAST({name(each)} AS VARCHAR)" if each in header else "CAST(NULL AS VARCHAR)"
        for each in COLUMNS
    } | {"broken": "false", "strange": "false"}


def columns_of_lines() -> Mapping[str, str]:
    """Return the expression of each field in a column `line` with the JSON object of an event."""
    texts = {each: f"line ->> '$.{each}'" for each in COLUMNS if each not in TOKENS}
    tokens = {f"{each}_tokens": f"line ->> '$.tokens.{each}'" for each in BUCKETS}
    fields = ", ".join(f"'{each}'" for each in ("tenant", *FIELDS))
    buckets = ", ".join(f"'{each}'" for each in BUCKETS)
    strange = (
        f"NOT list_has_all([{fields}], json_keys(line))"
        f" OR coalesce(NOT list_has_all([{buckets}], json_keys(line, '$.tokens')), false)"
    )
    return (
        texts | tokens | {"broken": "json_type(line) IS DISTINCT FROM 'OBJECT'", "strange": strange}
    )
