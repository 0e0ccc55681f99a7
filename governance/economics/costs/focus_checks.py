"""Checks for the rows of a FOCUS file, as SQL for DuckDB.

A source is a table of text columns as the file names them, and `line`, its line in the file. Every
statement is built from column names that are quoted, never from a value of the file.
"""

from collections.abc import Sequence

from governance.economics.costs import focus_columns
from governance.economics.costs.focus_columns import ALLOWED, COLUMNS

NUMBER = "DECIMAL(38, 15)"
MAX_NUMBER = 10**13  # so that ten billion rows still add up within NUMBER
_NUMBER_PATTERN = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,2})?$"
_INSTANT_PATTERN = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?)?(Z|[+-][0-9]{2}(:?[0-9]{2})?)?$"
)
_CHECKED_NUMBERS = (
    "BilledCost",
    "EffectiveCost",
    "ListCost",
    "ContractedCost",
    "ConsumedQuantity",
    "PricingQuantity",
)
_CHECKED_INSTANTS = (
    "BillingPeriodStart",
    "BillingPeriodEnd",
    "ChargePeriodStart",
    "ChargePeriodEnd",
)
PROVIDER_NAMES = ("ServiceProviderName", "ProviderName")
_CHECKED_VALUES = ("ChargeCategory", "ChargeClass")


def text(name: str) -> str:
    """Return SQL for a column's text; empty, blank and a literal NULL become null."""
    trimmed = f"trim({quoted(name)})"
    return f"(CASE WHEN lower({trimmed}) IN ('', 'null') THEN NULL ELSE {trimmed} END)"


def number(name: str) -> str:
    """Return SQL for a column's number, exact to 15 places; null if it isn't a number."""
    value = text(name)
    return (
        f"(CASE WHEN regexp_full_match({value}, '{_NUMBER_PATTERN}')"
        f" THEN TRY_CAST({value} AS {NUMBER}) END)"
    )


def instant(name: str) -> str:
    """Return SQL for a column's ISO 8601 instant in UTC; without a zone it is read as UTC."""
    value = text(name)
    return (
        f"(CASE WHEN regexp_full_match({value}, '{_INSTANT_PATTERN}')"
        f" THEN TRY_CAST({value} AS TIMESTAMP) END)"
    )


def quoted(name: str) -> str:
    """Return a column's name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def provider_text(names: Sequence[str]) -> str:
    """Return SQL for the provider: the new column, or the old one if that is empty."""
    known = [each for each in PROVIDER_NAMES if each in names]
    return f"coalesce({', '.join(text(each) for each in known)})"


def rejections_sql(source: str, names: Sequence[str]) -> str:
    """Return SQL that selects (line, field, reason) of each error, by line.

    A row can have several errors. Only fields that a figure depends on reject a row.
    """
    wrong = [check for name in names for check in _checks_of(name)]
    provider = next(each for each in PROVIDER_NAMES if each in names)
    wrong += [
        _case(f"{provider_text(names)} IS NULL", _found(provider, f"'{provider} is empty.'")),
        *_period_checks(),
    ]
    return (
        "SELECT line, found.field AS field, found.reason AS reason FROM ("  # noqa: S608 - quoted
        f"SELECT line, unnest([{', '.join(wrong)}]) AS found FROM {source})"
        " WHERE found IS NOT NULL ORDER BY line, field, reason"
    )


def _case(test: str, found: str) -> str:
    return f"CASE WHEN {test} THEN {found} END"


def _found(field: str, reason: str) -> str:
    return f"{{'field': '{field}', 'reason': {reason}}}"


def _checks_of(name: str) -> list[str]:
    value, shown = text(name), f"left({text(name)}, 40)"
    checks = []
    if name in focus_columns.NEEDED:
        checks.append(_case(f"{value} IS NULL", _found(name, f"'{name} is empty.'")))
    if name in _CHECKED_NUMBERS:
        sentence = f"concat('{name}: “', {shown}, '” is not a plain number such as 1234.56.')"
        large = f"'{name} is 10 trillion or more.'"
        is_plain = f"regexp_full_match({value}, '{_NUMBER_PATTERN}')"
        is_large = f"coalesce(abs({number(name)}) >= {MAX_NUMBER}, TRUE)"
        checks.append(_case(f"{value} IS NOT NULL AND NOT {is_plain}", _found(name, sentence)))
        checks.append(_case(f"{is_plain} AND {is_large}", _found(name, large)))
    if name in _CHECKED_INSTANTS:
        sentence = (
            f"concat('{name}: “', {shown},"
            " '” is not a date such as 2026-10-01T00:00:00Z. Other orders are ambiguous.')"
        )
        is_unread = f"{value} IS NOT NULL AND {instant(name)} IS NULL"
        checks.append(_case(is_unread, _found(name, sentence)))
    if name in _CHECKED_VALUES:
        sentence = f"concat('{name}: “', {shown}, '” is not {_choices(ALLOWED[name])}.')"
        checks.append(_case(_not_allowed(name), _found(name, sentence)))
    if name == "BillingCurrency":
        sentence = f"concat('{name}: “', {shown}, '” is not a code such as EUR.')"
        is_code = f"regexp_full_match({value}, '^[A-Z]{{3}}$')"
        checks.append(_case(f"NOT {is_code}", _found(name, sentence)))
    return checks


def _period_checks() -> list[str]:
    """Return checks that each period ends after it starts, since ends are exclusive."""
    return [
        _case(
            f"{instant(f'{kind}End')} <= {instant(f'{kind}Start')}",
            _found(f"{kind}End", f"'{kind}End is not after {kind}Start.'"),
        )
        for kind in ("BillingPeriod", "ChargePeriod")
    ]


def _choices(values: Sequence[str]) -> str:
    return f"{', '.join(values[:-1])} or {values[-1]}" if len(values) > 1 else f"{values[0]}"


def _not_allowed(name: str) -> str:
    allowed = ", ".join(f"'{each.lower()}'" for each in ALLOWED[name])
    return f"lower({text(name)}) NOT IN ({allowed})"


def notes_sql(source: str, names: Sequence[str]) -> str | None:
    """Return SQL that selects (field, kind, rows) of departures from FOCUS that change no figure.

    `kind` is "empty" or "not allowed". Returns None if the file has no such column.
    """
    counts = []
    for name in names:
        column = COLUMNS.get(name)
        if column is None or name in focus_columns.NEEDED or name in focus_columns.OLD_NAMES:
            continue
        if name in ALLOWED and name not in _CHECKED_VALUES:
            counts.append((name, "not allowed", f"{text(name)} NOT IN ({_listed(name)})"))
        if not column.allows_null and name not in focus_columns.NEW_NAMES:
            counts.append((name, "empty", f"{text(name)} IS NULL"))
    if not counts:
        return None
    structs = ", ".join(
        f"{{'field': '{name}', 'kind': '{kind}', 'rows': count(*) FILTER (WHERE {test})}}"
        for name, kind, test in counts
    )
    return (
        f"SELECT n.field, n.kind, n.rows FROM (SELECT unnest([{structs}]) AS n FROM {source})"  # noqa: S608 - quoted
        " WHERE n.rows > 0"
    )


def _listed(name: str) -> str:
    return ", ".join(f"'{each}'" for each in ALLOWED[name])
