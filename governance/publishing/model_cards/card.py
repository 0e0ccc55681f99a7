"""The content of a model card, its blockers, and its changes. Pure.

CardFigure, KnownFailure, CardBlocker    the parts of a card
content(…)                               the published content, as JSON can hold it
blockers(…)                              each reason why it can't be published
changes(published, now)                  how the record differs from a published card
outdated(published, at)                  which of its figures are older than their window
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from governance.kernel.formatting import long_day, plural
from governance.operations.evaluations import figures

FORMAT = "meridian-model-card/1"
IDS = frozenset({"id", "run_id"})
FIGURE_WINDOW = timedelta(days=30)
DRILL_WINDOW = timedelta(days=90)
HISTORY = timedelta(days=365)  # How long closed failures and incidents are listed.

type FigureState = Literal["ready", "missing", "undecided", "stale"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFigure:
    """One measure of a suite on the release that the card describes.

    Without a run it stands for all of the suite, and `measure` is empty. A signal decides nothing:
    it is published if it can be, and blocks no publication. `in_force` has the tier, limit and
    verdict of the policy in force, if that verdict differs from the one of the limits that judged
    the run.
    """

    suite: str
    suite_key: str
    suite_version: int = 0
    method: str = ""
    measure: str = ""
    name: str
    unit: str = ""
    at_least: bool = False
    is_signal: bool = False
    point: float | None = None
    low: float | None = None
    high: float | None = None
    confidence: float | None = None
    n: int = 0
    successes: int | None = None
    limit: float | None = None
    verdict: str = ""
    in_force: Mapping[str, Any] | None = None
    judges: tuple[str, ...] = ()
    run: int = 0
    run_id: str = ""
    ran_at: datetime | None = None
    state: FigureState = "ready"
    problem: str = ""

    @property
    def has_value(self) -> bool:
        return self.n > 0 and self.point is not None and self.low is not None

    @property
    def is_published(self) -> bool:
        """Return whether the card shows the figure, with its number of cases and its interval."""
        return self.has_value and (not self.is_signal or self.state == "ready")

    @property
    def shown_state(self) -> tuple[str, str]:
        """The state as c.state takes it."""
        if self.state != "ready":
            return {
                "missing": ("bad", "No source"),
                "stale": ("bad", "Too old"),
                "undecided": ("due", "Undecided"),
            }[self.state]
        if self.is_signal:
            return "ok", "Ready"
        return ("ok", "Ready") if self.verdict == "pass" else ("ok", "Ready, misses its limit")


@dataclass(frozen=True, slots=True)
class CardDrill:
    """The newest drill of the stop that ended."""

    id: str
    ended_at: datetime
    passed: bool
    expected: int
    obeyed: int
    slowest_ms: int | None

    def is_old(self, at: datetime) -> bool:
        return at - self.ended_at > DRILL_WINDOW


@dataclass(frozen=True, slots=True)
class KnownFailure:
    """A finding or an incident, with the text that readers see."""

    kind: str  # "finding" or "incident"
    id: str
    ref: str
    name: str
    since: datetime
    ended: datetime | None
    title: str = ""
    text: str = ""
    is_outdated: bool = False  # It has ended since the text was written, or has started again.

    @property
    def is_over(self) -> bool:
        return self.ended is not None


@dataclass(frozen=True, slots=True)
class CardBlocker:
    """One reason why a card can't be published, with the page that fixes it.

    `needs` is the permission of that page.
    """

    kind: str  # A shape of c.shape.
    lead: str
    text: str
    verb: str
    needs: str
    endpoint: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CardChange:
    """A difference between the record and a published card.

    `part` is known to the card's readers.
    """

    part: str
    old: str
    new: str


def content(
    *,
    tenant: str,
    release: str,
    system: Mapping[str, Any],
    policy: Mapping[str, Any],
    every: Iterable[CardFigure],
    drill: CardDrill | None,
    failures: Iterable[KnownFailure],
    incidents: Mapping[str, int],
) -> dict[str, Any]:
    """Return the content of a card. It names no person, and has no ids except of its sources."""
    return {
        "schema": FORMAT,
        "tenant": tenant,
        "release": release,
        "system": dict(system),
        "policy": dict(policy),
        "figures": [_figure(each) for each in every if each.is_published],
        "stop_drill": _drill(drill) if drill else None,
        "incidents": dict(incidents),
        "known_failures": [
            {
                "ref": each.ref,
                "kind": each.kind,
                "id": each.id,
                "title": each.title,
                "text": each.text,
                "since": each.since.isoformat(),
                "ended": each.ended.isoformat() if each.ended else None,
            }
            for each in failures
        ],
    }


def _figure(each: CardFigure) -> dict[str, Any]:
    kept = asdict(each)
    del kept["state"], kept["problem"]
    if each.in_force is None:
        del kept["in_force"]
    return kept | {
        "judges": list(each.judges),
        "ran_at": each.ran_at.isoformat() if each.ran_at else None,
    }


def _drill(each: CardDrill) -> dict[str, Any]:
    return asdict(each) | {"ended_at": each.ended_at.isoformat()}


def without_ids(value: Any) -> Any:
    """Return a card's content without the ids of its sources, as anybody may read it."""
    if isinstance(value, Mapping):
        return {key: without_ids(each) for key, each in value.items() if key not in IDS}
    return [without_ids(each) for each in value] if isinstance(value, list) else value


def blockers(
    system_key: str,
    release: str,
    every: Sequence[CardFigure],
    drill: CardDrill | None,
    failures: Iterable[KnownFailure],
    *,
    at: datetime,
    texts: Mapping[str, Sequence[str]],
    has_run: bool = True,
) -> Iterator[CardBlocker]:
    """Yield each reason why the card can't be published.

    `texts` are the register texts that a card needs, by title. `has_run` says whether the release
    was ever evaluated.
    """
    deciding = [each for each in every if not each.is_signal]
    if release and not has_run:
        yield CardBlocker(
            "bad",
            f"Release {release} has no run of its own.",
            "A card says nothing of a release that nobody has measured.",
            "Request run",
            "evaluations.request",
            "evaluation_requests.new",
            {"system": system_key, "release": release},
        )
        deciding = []
    elif not deciding:
        yield CardBlocker(
            "bad",
            "No evaluation has measured this system.",
            "A card without a figure says nothing.",
            "Request run",
            "evaluations.request",
            "evaluation_requests.new",
            {"system": system_key},
        )
    for each in deciding:
        if each.state != "ready":
            yield _of_figure(each, system_key, release)
    yield from _of_drill(drill, system_key, at)
    for title, there in texts.items():
        if not there:
            yield CardBlocker(
                "open",
                f"“{title}” is empty.",
                "Readers look here first.",
                "Write it",
                "systems.change",
                "systems.editing",
                {"key": system_key},
            )
    for failure in failures:
        if not failure.text or failure.is_outdated:
            says = "has no text." if not failure.text else "is over, and its text is older."
            if failure.is_outdated and not failure.is_over:
                says = "goes on again, and its text is older."
            yield CardBlocker(
                "open",
                f"Known failure {failure.ref} {says}",
                f"{failure.name}. Say what readers see of it.",
                "Write text",
                "model_cards.write",
                "model_cards.write",
                {"system_key": system_key, "kind": failure.kind, "source_id": failure.id},
            )


def _of_figure(each: CardFigure, system_key: str, release: str) -> CardBlocker:
    lead = {
        "missing": f"{each.name} has no source.",
        "stale": f"{each.name} is too old.",
        "undecided": f"{each.name} is undecided.",
    }[each.state]
    return CardBlocker(
        "due" if each.state == "undecided" else "bad",
        lead,
        each.problem,
        "Request run",
        "evaluations.request",
        "evaluation_requests.new",
        {"system": system_key, "suite": each.suite_key, "release": release},
    )


def _of_drill(drill: CardDrill | None, system_key: str, at: datetime) -> Iterator[CardBlocker]:
    if drill is None:
        lead, text = "has no source", "No drill has shown how fast the stop works."
    elif drill.is_old(at):
        lead = "is too old"
        text = f"It was on {long_day(drill.ended_at)}. The window is {DRILL_WINDOW.days} days."
    else:
        return
    yield CardBlocker(
        "bad",
        f"Stop drill {lead}.",
        text,
        "Plan drill",
        "switches.drill",
        "drills.plan",
        {"system_key": system_key},
    )


def changes(published: Mapping[str, Any], now: Mapping[str, Any]) -> list[CardChange]:
    """Return each difference between the record and the card, as people read it."""
    found = list(_changed_figures(published["figures"], now["figures"]))
    for part, read in _PARTS.items():
        old, new = read(published), read(now)
        if old != new:
            found.append(CardChange(part, old, new))
    return found


def _changed_figures(
    old: Iterable[Mapping[str, Any]], new: Iterable[Mapping[str, Any]]
) -> Iterator[CardChange]:
    before = {(each["suite_key"], each["measure"]): each for each in old}
    after = {(each["suite_key"], each["measure"]): each for each in new}
    for key, each in before.items():
        later = after.get(key)
        if later is None:
            yield CardChange(each["name"], shown(each), "no figure")
        elif _compared(each) != _compared(later):
            yield CardChange(each["name"], shown(each), shown(later))
    for key, each in after.items():
        if key not in before:
            yield CardChange("A new figure", "none", f"{each['name']} {shown(each)}")


def _compared(each: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the parts that make a figure differ for readers.

    A run with the same result doesn't.
    """
    return (shown(each), each["limit"], each["verdict"], each["suite_version"], each["name"])


def in_force_words(each: Mapping[str, Any]) -> str:
    """Return "under the limits of Strict: fail, limit 1.0%", or an empty text."""
    found = each.get("in_force")
    if not found:
        return ""
    limit = figures.amount(found["limit"], each["unit"])
    return f"under the limits of {found['tier']}: {found['verdict']}, limit {limit}"


def day_of(instant: str) -> str:
    """Return the day of an instant on a card, as people read it."""
    return long_day(datetime.fromisoformat(instant))


def shown(each: Mapping[str, Any]) -> str:
    """Return "4.6% (3.2 to 6.4%)"."""
    interval = figures.interval(each["low"], each["high"], each["unit"])
    return f"{figures.amount(each['point'], each['unit'])} ({interval})"


def _listed(values: Iterable[Any]) -> str:
    return "; ".join(map(str, values)) or "none"


def data_set_words(each: Mapping[str, Any]) -> str:
    """Return "wordings, version 12, CC-BY-4.0"."""
    licence = "own licence" if each["own_licence"] else each["licence"] or "licence unknown"
    version = f", version {each['version']}" if each["version"] else ""
    return f"{each['name']}{version}, {licence}"


def _named_models(card: Mapping[str, Any]) -> str:
    return _listed(
        " ".join(each[name] for name in ("provider", "name", "version") if each.get(name))
        for each in card["system"]["models"]
    )


def _failures(card: Mapping[str, Any]) -> str:
    return _listed(
        f"{each['ref']} {'fixed' if each['ended'] else 'open'}: {each['title']}. {each['text']}"
        for each in card["known_failures"]
    )


def _drill_words(card: Mapping[str, Any]) -> str:
    drill = card["stop_drill"]
    if drill is None:
        return "none"
    return f"{drill['obeyed']} of {plural(drill['expected'], 'consumer')} stopped"


_PARTS: Mapping[str, Any] = {
    "Release": lambda card: card["release"],
    "Name": lambda card: card["system"]["name"],
    "Purpose": lambda card: card["system"]["purpose"] or "none",
    "Intended users": lambda card: card["system"]["intended_users"] or "none",
    "What it does": lambda card: _listed(card["system"]["capabilities"]),
    "What it doesn't do": lambda card: _listed(card["system"]["limits"]),
    "What you can decide": lambda card: _listed(
        f"{label}: {value}" for label, value in card["system"]["controls"]
    ),
    "Autonomy": lambda card: card["system"]["autonomy"] or "none",
    "Model": _named_models,
    "Data sets": lambda card: _listed(map(data_set_words, card["system"]["data_sets"])),
    "Safety rules": lambda card: _listed(
        [card["policy"]["tier"], *(f"{key}: {value}" for key, value in card["policy"]["settings"])]
    ),
    "Emergency stop": _drill_words,
    "Known failures": _failures,
    "Incidents": lambda card: f"{card['incidents']['count']}, {card['incidents']['open']} open",
}


def outdated(published: Mapping[str, Any], at: datetime) -> list[str]:
    """Return sentences about the figures of a published card that are older than their window."""
    found = []
    for each in published["figures"]:
        measured = datetime.fromisoformat(each["ran_at"]) if each["ran_at"] else None
        if measured is None or at - measured > FIGURE_WINDOW:
            found.append(f"{each['name']} was measured more than {FIGURE_WINDOW.days} days ago.")
    drill = published["stop_drill"]
    if drill and at - datetime.fromisoformat(drill["ended_at"]) > DRILL_WINDOW:
        found.append(f"The last stop drill was more than {DRILL_WINDOW.days} days ago.")
    return found
