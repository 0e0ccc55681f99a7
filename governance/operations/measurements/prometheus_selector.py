"""Parser of PromQL selectors: a metric and its label matchers, nothing else. Pure.

Counters are read as raw samples, series by series: the sum of an expression falls when one of many
processes restarts, which the sum alone can't show.
"""

import re
from dataclasses import dataclass
from decimal import Decimal

METRIC = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r"[a-zA-Z_][a-zA-Z0-9_]*"
TEXT = r'"(?:[^"\\\n]|\\.)*+"|\'(?:[^\'\\\n]|\\.)*+\''
MATCHER = rf"\s*({LABEL})\s*(=~|!~|!=|=)\s*({TEXT})\s*"
SELECTOR = re.compile(rf"\s*({METRIC})\s*(?:\{{((?:{MATCHER},)*+(?:{MATCHER})?\s*)\}})?\s*")
SUM = re.compile(r"\s*sum\s*\((.*)\)\s*", re.DOTALL)
MAX_LENGTH = 2000
BUCKET_SUFFIX = "_bucket"


class NotASelector(ValueError):
    """The text is not a selector. The message explains what to do."""


@dataclass(frozen=True, slots=True)
class Selector:
    """A metric's series, such as http_requests_total{job="api",code!~"5.."}."""

    metric: str
    matchers: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.metric}{{{','.join(self.matchers)}}}" if self.matchers else self.metric

    @property
    def labels(self) -> set[str]:
        return {re.match(LABEL, each)[0] for each in self.matchers}  # type: ignore[index]


def parse(text: str) -> Selector:
    """Parse a selector. Raises NotASelector for functions, operators, offsets and ranges."""
    found = SELECTOR.fullmatch(text) if len(text) <= MAX_LENGTH else None
    if found is None:
        raise NotASelector(
            'Enter a metric with labels, such as http_requests_total{job="api"}, without sum(),'
            " rate() or a range. Meridian adds up the series itself, so that the restart of one"
            " process doesn't change the count."
        )
    matchers = re.finditer(MATCHER, found[2] or "")
    return Selector(found[1], tuple(f"{each[1]}{each[2]}{each[3]}" for each in matchers))


def parse_buckets(text: str) -> Selector:
    """Parse the selector of a classic histogram's buckets, without "le"."""
    selector = parse(text)
    if not selector.metric.endswith(BUCKET_SUFFIX):
        raise NotASelector(
            "Enter the histogram's buckets: a metric whose name ends in _bucket, such as"
            " http_request_duration_seconds_bucket."
        )
    if "le" in selector.labels:
        raise NotASelector("Leave out the label le. Meridian selects the buckets it needs.")
    return selector


def with_bounds(selector: Selector, bound: Decimal) -> Selector:
    """Return a selector of only the buckets at this bound, in any spelling, and at "+Inf"."""
    spellings = "|".join(sorted(re.escape(each) for each in _spellings(bound)))
    # A backslash is escaped once more inside of quotes.
    pattern = rf"{spellings}|\+Inf".replace("\\", "\\\\")
    return Selector(selector.metric, (*selector.matchers, f'le=~"{pattern}"'))


def _spellings(bound: Decimal) -> set[str]:
    plain = f"{bound.normalize():f}"
    number = float(bound)
    return {plain, plain if "." in plain else f"{plain}.0", repr(number), f"{number:g}"}


def inside_sum(text: str) -> str:
    """Return X of "sum(X)" where X is a selector, otherwise the text itself.

    The sum of counters' growth is the growth that Meridian adds up.
    """
    found = SUM.fullmatch(text)
    return found[1].strip() if found and SELECTOR.fullmatch(found[1]) else text
