"""Read an answer of Prometheus's HTTP API (v1): series of raw samples, or a fault. Pure.

Nothing is guessed: an answer of another shape, a partial one, a web page or an interrupted one is a
fault whose sentence the page shows, and its minutes stay unknown.

    {"status": "success", "data": {"resultType": "matrix",
      "result": [{"metric": {"__name__": "requests_total", …}, "values": [[1764158400.0, "12"], …]}]}}
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import Any

OK, BAD_REQUEST, UNPROCESSABLE = 200, 400, 422
DENIED = {401, 403}
REDIRECTS = range(300, 400)
NOT_FOUND = 404
MAX_EXACT = 2**53  # From here, a 64-bit float skips integers
MAX_DETAIL_LENGTH = 200
UNPRINTABLE = re.compile(r"[^\x20-\x7e]+")


class PrometheusFault(Exception):
    """The problem with an answer, in a sentence for the page.

    `of_query`: only the query is at fault, so the source's other queries still run.
    """

    def __init__(self, message: str, *, of_query: bool = False) -> None:
        super().__init__(message)
        self.message, self.of_query = message, of_query


@dataclass(frozen=True, slots=True)
class SampleSeries:
    """One time series: its labels and samples.

    Samples are (milliseconds since 1970, value as text), in order of time.
    """

    labels: Mapping[str, str]
    samples: Sequence[tuple[int, str]]

    @property
    def target(self) -> tuple[str, str] | None:
        """The target (job and instance) of its scrapes; None if its labels don't show it."""
        job, instance = self.labels.get("job"), self.labels.get("instance")
        return (job, instance) if job and instance else None


def whole(value: str) -> int | None:
    """Return a sample's value as a count.

    None for NaN, infinity, fractions, negative numbers, and numbers too large to be exact.
    """
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    if (
        not number.is_finite()
        or not 0 <= number < MAX_EXACT
        or number != number.to_integral_value()
    ):
        return None
    return int(number)


def parse_series(status: int, body: bytes, *, shape: str = "matrix") -> list[SampleSeries]:
    """Return the series of an answer. Raises PrometheusFault for anything else."""
    data = _answer(status, body)
    found = data.get("resultType")
    if found != shape:
        raise PrometheusFault(
            f"Prometheus answered with a {_short(found)}, not a {shape}. Check the query.",
            of_query=True,
        )
    result = data.get("result")
    if not isinstance(result, list):
        raise PrometheusFault("Prometheus answered without a list of series.")
    series = [_series(each, shape) for each in result]
    _check_distinct(series)
    return series


def _answer(status: int, body: bytes) -> Mapping[str, Any]:
    content = _json(status, body)
    if status != OK or content.get("status") != "success":
        raise _rejected(status, content)
    if content.get("warnings"):
        raise PrometheusFault(
            f"Prometheus answered with a part of the data: {_short(content['warnings'])}"
        )
    data = content.get("data")
    if not isinstance(data, dict):
        raise PrometheusFault("Prometheus answered without data.")
    return data


def _json(status: int, body: bytes) -> Mapping[str, Any]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        content = None
    if isinstance(content, dict):
        return content
    if status in REDIRECTS:
        raise PrometheusFault(
            f"The address redirects elsewhere ({status}). Enter the address it leads to."
        )
    if status in DENIED:
        raise PrometheusFault(f"Prometheus denied access ({status}). Check the token.")
    if status == NOT_FOUND:
        raise PrometheusFault("There is no Prometheus API at this address (404).")
    if status != OK:
        raise PrometheusFault(f"Prometheus answered with status {status}.")
    if body.lstrip()[:1] == b"<":
        raise PrometheusFault("The address answers with a web page, not with Prometheus's API.")
    raise PrometheusFault("The answer isn't complete JSON. It may have been cut off on its way.")


def _rejected(status: int, content: Mapping[str, Any]) -> PrometheusFault:
    detail = _short(content.get("error", ""))
    if status in {BAD_REQUEST, UNPROCESSABLE}:
        return PrometheusFault(f"Prometheus rejected the query: {detail}", of_query=True)
    if status in DENIED:
        return PrometheusFault(f"Prometheus denied access ({status}). Check the token.")
    return PrometheusFault(f"Prometheus answered with status {status}: {detail}".rstrip(": "))


def _series(row: Any, shape: str) -> SampleSeries:
    try:
        labels = row["metric"]
        rows = row["values"] if shape == "matrix" else [row["value"]]
        samples = [(_milliseconds(at), value) for at, value in rows]
    except (KeyError, TypeError, ValueError, OverflowError):
        raise _malformed() from None
    texts = all(isinstance(value, str) for _, value in samples)
    if not isinstance(labels, dict) or not texts:
        raise _malformed()
    if not all(isinstance(value, str) for value in labels.values()):
        raise _malformed()
    if any(later <= earlier for (earlier, _), (later, _) in pairwise(samples)):
        raise PrometheusFault("Prometheus answered with samples that aren't in order of time.")
    return SampleSeries(labels, samples)


def _milliseconds(at: Any) -> int:
    """Convert a sample's time to ms. Raises TypeError unless it is a number.

    Text times 1,000 would fill the memory.
    """
    if not isinstance(at, int | float):
        raise TypeError("a sample's time is a number")
    return round(at * 1000)


def _malformed() -> PrometheusFault:
    # Native histograms have "histograms" instead of "values".
    return PrometheusFault(
        "Prometheus answered with a series that has no plain samples. Native histograms aren't"
        " supported; use the classic buckets.",
        of_query=True,
    )


def _check_distinct(series: Sequence[SampleSeries]) -> None:
    if len({frozenset(each.labels.items()) for each in series}) < len(series):
        raise PrometheusFault("Prometheus answered with the same series twice.")


def _short(value: object) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    clean = UNPRINTABLE.sub(" ", text).strip()
    return clean if len(clean) <= MAX_DETAIL_LENGTH else clean[:MAX_DETAIL_LENGTH] + "…"
