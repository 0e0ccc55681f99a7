"""What a policy attestation says: figures, titles, ledes and matters, made from the snapshot and
nothing else. Pure.

    Attested(snapshot)      each property is a number, a title, a paragraph or the rows of a table
    shown(value)            a policy value in words: "sources only", "90 days", "no model"

Titles are conclusions; a number in a sentence is the number in the table beside it.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from governance.publishing.reports.sentences import (
    NB,
    NOTHING,
    ONE_LINE,
    SHORT_NAME,
    TWO_LINES,
    capital,
    clip,
    day,
    listed,
    many,
    out_of,
    sentence,
    words,
)

KINDS = ("floor", "tier", "override", "risk", "system", "waiver")
KIND_NAMES = {
    "floor": "Floor",
    "tier": "Tier",
    "override": "Override",
    "risk": "Lane",
    "system": "System",
    "waiver": "Waiver",
}
MATTERS, NAMED, LISTED = 3, 3, 12
METHOD_TITLE = "How this was read, and what it does not say"
CONTROL_TITLE = "Version, distribution and verification"
SECOND = 1000  # milliseconds
type Json = Mapping[str, Any]


def shown(value: Any, unit: str = "") -> str:
    """As a table has it; a list of every model is any, an empty one is none."""
    if value is None:
        return NOTHING
    if isinstance(value, list):
        return "any" if value == ["*"] else ", ".join(value) or "none"
    return f"{value:,} {unit}".strip() if isinstance(value, int) else str(value).replace("_", " ")


def speed(milliseconds: int | None) -> str:
    """As "0.8 s"; an en dash for nothing."""
    return NOTHING if milliseconds is None else f"{milliseconds / SECOND:.1f}{NB}s"


def has(count: int) -> str:
    return "has" if count == 1 else "have"


def was(count: int) -> str:
    return "was" if count == 1 else "were"


def is_(count: int) -> str:
    return "is" if count == 1 else "are"


@dataclass(frozen=True, slots=True)
class AttestationPoint:
    """One of the things that matter: a claim, why, and what follows.

    `weight` 0 is the worst; `place` is its section.
    """

    weight: int
    claim: str
    text: str
    act: str
    terms: str
    place: str


@dataclass(frozen=True, slots=True)
class Strictness:
    """Steps taken from the most permissive level, over the dimensions that have levels."""

    steps: int
    most: int


class Attested:
    """What the report says about a snapshot."""

    def __init__(self, snapshot: Json) -> None:
        self.snapshot = snapshot
        self.dimensions: dict[str, Json] = {each["key"]: each for each in snapshot["dimensions"]}

    # ---- the numbers

    @property
    def is_day(self) -> bool:
        return bool(self.snapshot["period"]["from"] is None)

    @property
    def until(self) -> str:
        return day(self.snapshot["period"]["to"])

    @property
    def span(self) -> str:
        """As "on 25 November 2026" or "from 1 September 2026 to 25 November 2026"."""
        begin = self.snapshot["period"]["from"]
        return f"on {self.until}" if begin is None else f"from {day(begin)} to {self.until}"

    @property
    def who(self) -> str:
        name = self.snapshot["tenant"]["name"]
        return name if len(name) <= SHORT_NAME else "The organisation"

    @cached_property
    def now(self) -> list[Json]:
        """The scopes that were there at the end; requests that name no system first."""
        return [each for each in self.snapshot["scopes"] if each["end"] is not None]

    @property
    def systems(self) -> list[Json]:
        return [each for each in self.now if each["key"]]

    def strictness(self, values: Mapping[str, Any]) -> Strictness:
        """Values as they stand in a scope: plain, or with who decided."""
        found = [(self._levels(key), value) for key, value in values.items() if self._levels(key)]
        plain = [
            (levels, value["value"] if isinstance(value, Mapping) else value)
            for levels, value in found
        ]
        return Strictness(
            sum(levels.index(value) for levels, value in plain),
            sum(len(levels) - 1 for levels, _ in plain),
        )

    def _levels(self, key: str) -> list[str]:
        return [each["value"] for each in self.dimensions[key]["levels"]]

    def move(self, scope: Json, key: str) -> str:
        """What happened to a dimension over the period: "", "stricter", "looser" or "changed"."""
        if scope["begin"] is None or key not in scope["begin"] or key not in (scope["end"] or {}):
            return ""
        before, after = scope["begin"][key], scope["end"][key]["value"]
        if before == after:
            return ""
        levels = self._levels(key)
        if levels:
            return "stricter" if levels.index(after) > levels.index(before) else "looser"
        if isinstance(after, int):
            return "stricter" if after < before else "looser"
        return (
            "stricter"
            if before == ["*"] or (after != ["*"] and set(after) < set(before))
            else "changed"
        )

    def moved(self, scope: Json) -> int:
        return sum(bool(self.move(scope, key)) for key in self.dimensions)

    def decided(self, scope: Json) -> Counter[str]:
        """How many dimensions each kind of layer decides."""
        return Counter(each["kind"] for each in scope["end"].values())

    @cached_property
    def deciding(self) -> Counter[str]:
        return sum((self.decided(each) for each in self.now), Counter())

    @property
    def versions(self) -> list[Json]:
        return list(self.snapshot["versions"])

    @property
    def looser(self) -> list[Json]:
        return [each for each in self.versions if each["loosens"]]

    @property
    def alone(self) -> list[Json]:
        """Versions that loosened without a second person: there should be none."""
        return [
            each
            for each in self.looser
            if not each["decided_by"] or each["decided_by"] == each["made_by"]
        ]

    @property
    def live(self) -> list[Json]:
        return [each for each in self.snapshot["waivers"] if each["state"] == "live"]

    @property
    def ended(self) -> list[Json]:
        return [each for each in self.snapshot["waivers"] if each["state"] == "ended"]

    @property
    def standing(self) -> list[Json]:
        return [each for each in self.snapshot["stops"] if each["restarted_at"] is None]

    @property
    def slowest(self) -> int | None:
        return max(
            (
                s["slowest_ms"]
                for s in (*self.snapshot["stops"], *self.snapshot["drills"])
                if s["slowest_ms"] is not None
            ),
            default=None,
        )

    @property
    def failed(self) -> list[Json]:
        return [each for each in self.snapshot["drills"] if each["state"] == "failed"]

    def switches(self, state: str) -> list[Json]:
        return [each for each in self.snapshot["switches"] if each["state"] == state]

    # ---- the summary

    @property
    def tier_words(self) -> str:
        """As "tier Strict, version 4" or "the default tier Standard"."""
        tier = self.snapshot["tier"]
        name = clip(tier["name"], 18)
        return (
            f"tier {name}, version {tier['version']}"
            if tier["version"]
            else f"the default tier {name}"
        )

    @property
    def summary_title(self) -> str:
        # what needs somebody
        worst = next((each for each in self.points if each.weight < 4), None)  # noqa: PLR2004
        comma = "," if self.snapshot["tier"]["version"] else ""
        start = (
            f"{capital(self.tier_words)}{comma} {'was in force' if self.is_day else 'is in force'}"
        )
        title = (
            f"{start}; {worst.claim[:1].lower()}{worst.claim[1:]}"
            if worst
            else f"{start}, and nothing needs a decision"
        )
        return (
            title
            if len(title) <= TWO_LINES
            else (
                f"{start}; {many(len(self.needing), 'matter')}"
                f" {'needs' if len(self.needing) == 1 else 'need'} a decision"
            )
        )

    @property
    def needing(self) -> list[AttestationPoint]:
        # what needs somebody
        return [each for each in self.points if each.weight < 4]  # noqa: PLR2004

    @property
    def kpis(self) -> list[tuple[str, str, str, str]]:
        """Label, figure, its unit, its comparison."""
        tier, switches = self.snapshot["tier"], self.snapshot["switches"]
        since = (
            f"Version {tier['version']} since {day(tier['since'], short=True)}"
            if tier["version"]
            else "The default: nothing was decided"
        )
        second = (
            ("Stopped", str(len(self.standing)), "", self._stops_words)
            if self.is_day
            else ("Changes in force", str(len(self.versions)), "", self._changes_words)
        )
        return [
            ("Tier in force", clip(tier["name"], 10), "", since),
            second,
            ("Waivers open", str(len(self.live)), "", self._waivers_words),
            (
                "Switches proven",
                str(len(self.switches("armed"))),
                f"of {len(switches)}",
                f"A passed drill within {self.snapshot['proven_for']} days",
            ),
        ]

    @property
    def _changes_words(self) -> str:
        loosened = len(self.looser)
        if not self.versions:
            return "None in the period"
        return (
            f"{loosened} loosened, {len(self.looser) - len(self.alone)} with a second person"
            if loosened
            else "All of them tightened"
        )

    @property
    def _waivers_words(self) -> str:
        soonest = min((each["expires_at"] for each in self.live), default=None)
        if soonest:
            return f"The first ends on {day(soonest, short=True)}"
        return (
            "Nothing stands below the floor"
            if self.is_day or not self.ended
            else f"{len(self.ended)} ended in the period"
        )

    @property
    def _stops_words(self) -> str:
        return "Until somebody restarts it" if self.standing else "Nothing stands stopped"

    @property
    def lede(self) -> str:
        """At most four lines, about 350 characters."""
        held = len(self.systems)
        scope = (
            f"{capital(many(held, 'AI system'))} {was(held)} governed {self.span}."
            if held
            else f"No AI system was registered {self.span}."
        )
        return " ".join(part for part in (scope, self._decision_words, self._stop_words) if part)

    @property
    def _decision_words(self) -> str:
        if self.is_day:
            held = self.versions[0] if self.versions else None
            if held is None:
                return (
                    "No version was ever put in force: the operator's default stands, and nobody"
                    " here decided on it."
                )
            second = (
                f" and {held['decided_by']} approved"
                if held["decided_by"]
                else ", as one person may when nothing loosens"
            )
            return f"{held['made_by']} made version {held['number']}{second}."
        if not self.versions:
            return "The policy did not change."
        count, loose = len(self.versions), len(self.looser)
        # twice
        text = f"The policy changed {'once' if count == 1 else 'twice' if count == 2 else many(count, 'time')}"  # noqa: PLR2004
        if not loose:
            return (
                f"{text}, each time for the stricter."
                if count > 1
                else f"{text}, for the stricter."
            )
        if self.alone:
            return (
                f"{text}; {many(len(self.alone), 'loosening')} {has(len(self.alone))} no second"
                " person behind it."
            )
        return (
            f"{text}; {out_of(loose, count, 'change')} loosened something, and a second person"
            f" approved {'it' if loose == 1 else 'each of them'}."
        )

    @property
    def _stop_words(self) -> str:
        stops, standing = len(self.snapshot["stops"]), len(self.standing)
        if not stops:
            return "Nothing stood stopped." if self.is_day else "Nothing was stopped."
        slow = (
            f" The slowest consumer obeyed after {speed(self.slowest)}."
            if self.slowest is not None
            else ""
        )
        if self.is_day:
            return f"{capital(many(stops, 'stop'))} stood.{slow}"
        left = "it" if standing == stops == 1 else "all" if standing == stops else words(standing)
        still = f", and {left} still {'stands' if standing == 1 else 'stand'}" if standing else ""
        return f"{capital(many(stops, 'stop'))} {was(stops)} made{still}.{slow}"

    @property
    def matters(self) -> list[AttestationPoint]:
        return self.points[:MATTERS]

    @cached_property
    def points(self) -> list[AttestationPoint]:
        """Everything worth saying, the worst first; there is always something."""
        return sorted(self._points(), key=lambda each: each.weight)

    def _points(self) -> Iterator[AttestationPoint]:
        yield from self._broken()
        yield from self._open()
        yield from self._settled()

    def _broken(self) -> Iterator[AttestationPoint]:
        for each in self.alone[:1]:
            yield AttestationPoint(
                0,
                f"Version {each['number']} loosened without a second person",
                f"{each['made_by']} put it in force on {day(each['at'])}:"
                f" {clip(sentence(each['reason']), 120)}",
                "Review it now.",
                "A loosening needs two persons.",
                "changes",
            )
        for each in self.switches("dead")[:2]:
            yield AttestationPoint(
                0,
                f"The kill switch of {each['system']} did not hold",
                f"Its last drill, on {day(each['last'])}, failed: not every consumer obeyed the"
                f" stop. Until a drill passes, a stop of {each['system']} cannot be relied on.",
                "Find the consumer that did not obey, and drill again.",
                "Holds MANAGE 2.4 down.",
                "drills",
            )
        for each in [s for s in self.standing if s["missing"]][:1]:
            missing = len(each["missing"])
            yield AttestationPoint(
                0,
                f"{capital(many(missing, 'consumer'))} {has(missing)} not confirmed the stop of"
                f" {clip(each['scope'], 40)}",
                f"Stopped on {day(each['at'])} by {each['by']}; {each['obeyed']} of"
                f" {each['expected']} consumers obeyed. Missing:"
                f" {clip(', '.join(each['missing']), 90)}.",
                "Stop those consumers by other means.",
                "The stop stands.",
                "stops",
            )

    def _open(self) -> Iterator[AttestationPoint]:
        if self.live:
            yield self._waived(min(self.live, key=lambda w: (not self.bites(w), w["expires_at"])))
        for each in self.standing[:1]:
            rest = len(self.standing) - 1
            more = (
                f", and {many(rest, 'other stop')} {'stands' if rest == 1 else 'stand'}"
                if rest
                else ""
            )
            yield AttestationPoint(
                2,
                f"{capital(clip(each['scope'], 40))} stands stopped since {day(each['at'])}{more}",
                clip(sentence(each["reason"]), 200) + " Nothing restarts by itself.",
                "Decide on the restart.",
                f"Stopped by {each['by']}.",
                "stops",
            )
        unproven = self.switches("unproven")
        if unproven:
            rest = len(unproven) - NAMED
            named = listed([each["system"] for each in unproven[:NAMED]]) + (
                f" and {rest} more" if rest > 0 else ""
            )
            yield AttestationPoint(
                3,
                f"{capital(out_of(len(unproven), len(self.snapshot['switches']), 'kill switch').replace('switchs', 'switches'))}"
                f" {is_(len(unproven))} unproven",
                f"No drill of {named} passed in the {self.snapshot['proven_for']} days before"
                f" {self.until}. A switch that was not tried may not work when it is needed.",
                "Drill each of them.",
                "A drill takes some seconds, and is agreed beforehand.",
                "drills",
            )
        for each in self.snapshot["waiting"][:1]:
            yield AttestationPoint(
                3,
                (
                    "A change waits for a second person"
                    if each["state"] == "requested"
                    else "A change is agreed and waits for its day"
                ),
                f"{each['made_by']} asked on {day(each['requested_at'])}:"
                f" {clip(sentence(each['reason']), 140)}",
                "Decide on it.",
                "Until then the policy in force stands.",
                "changes",
            )
        if not self.snapshot["tier"]["version"]:
            yield AttestationPoint(
                3,
                "No policy was ever put in force",
                f"The default tier {self.snapshot['tier']['name']} stands, and nobody here decided"
                " on it.",
                "Decide on a tier.",
                "The admin drafts it.",
                "force",
            )

    def bites(self, waiver: Json) -> bool:
        """Whether it lowers what is in force: where the tenant itself demands more, an open waiver
        changes nothing.
        """
        scope = next((each for each in self.now if each["key"] == waiver["system"]), None)
        return bool(scope and scope["end"].get(waiver["dimension"], {}).get("kind") == "waiver")

    def _waived(self, each: Json) -> AttestationPoint:
        rest, key = len(self.live) - 1, each["dimension"]
        more = f", and {many(rest, 'other waiver')} {is_(rest)} open" if rest else ""
        title = (
            f"{self.title(key)} of {each['system']} stands below the floor"
            if self.bites(each)
            else f"A waiver for {each['system']} is open and not used"
        )
        text = (
            f"{self.title(key)}: {self.value(key, each['value'])} instead of"
            f" {self.value(key, each['floor'])}. {sentence(each['reason'])} In return:"
            f" {sentence(each['compensation'])}"
        )
        agreed = f"Asked by {each['requested_by']}, agreed by {each['first_by']} and {each['second_by']}."
        return AttestationPoint(
            2,
            title + more,
            clip(text, 230),
            f"Ends on {day(each['expires_at'])}.",
            agreed,
            "waivers",
        )

    def _settled(self) -> Iterator[AttestationPoint]:
        if self.looser and not self.alone and not self.is_day:
            last = self.looser[-1]
            yield AttestationPoint(
                4,
                f"Every loosening had a second person: {many(len(self.looser), 'change')}",
                f"The last was version {last['number']}, in force since {day(last['at'])}:"
                f" {clip(sentence(last['reason']), 130)}",
                "Nothing to do.",
                f"Made by {last['made_by']}, approved by {last['decided_by']}.",
                "changes",
            )
        armed = self.switches("armed")
        if armed and len(armed) == len(self.snapshot["switches"]):
            yield AttestationPoint(
                5,
                f"Every kill switch is proven: {many(len(armed), 'switch', 'switches')}",
                f"Each passed its last drill within {self.snapshot['proven_for']} days; the oldest"
                f" of these drills was on {day(min(each['last'] for each in armed))}.",
                "Nothing to do.",
                "The next drills follow their plan.",
                "drills",
            )
        lifted = self.deciding["floor"]
        yield AttestationPoint(
            6,
            f"The floor decides {out_of(lifted, sum(self.deciding.values()), 'value')}",
            "There the tenant's own layers demand as much or less; everywhere else the tenant"
            " itself is stricter.",
            "Nothing to do.",
            "The floor is the operator's.",
            "floor",
        )
        if not self.versions and not self.is_day:
            yield AttestationPoint(
                6,
                "The policy did not change in the period",
                f"{capital(self.tier_words)}, stood throughout.",
                "Nothing to do.",
                "Compare with the register of changes.",
                "changes",
            )

    @property
    def request(self) -> str:
        asks = []
        if self.alone:
            asks.append(f"review {many(len(self.alone), 'loosening')} without a second person")
        if dead := self.switches("dead"):
            asks.append(f"have {listed([each['system'] for each in dead[:3]])} drilled again")
        if not self.snapshot["tier"]["version"]:
            asks.append("decide on a tier")
        if self.snapshot["waiting"]:
            asks.append(
                f"decide on {many(len(self.snapshot['waiting']), 'change')} that"
                f" {'waits' if len(self.snapshot['waiting']) == 1 else 'wait'}"
            )
        if self.standing:
            asks.append(f"decide on the restart of {many(len(self.standing), 'stop')}")
        if self.live:
            asks.append(
                f"take note of {many(len(self.live), 'open waiver')} and"
                f" {'its' if len(self.live) == 1 else 'their'} compensation"
            )
        if unproven := self.switches("unproven"):
            asks.append(
                f"plan the drills of {many(len(unproven), 'unproven switch', 'unproven switches')}"
            )
        return (
            sentence(listed(asks))
            if asks
            else "Take note. Nothing has to be decided on this report."
        )

    # ---- values and rows

    def value(self, key: str, value: Any) -> str:
        return shown(value, self.dimensions[key]["unit"])

    def title(self, key: str) -> str:
        return str(self.dimensions[key]["title"])

    def means(self, key: str, value: Any) -> str:
        return next(
            (
                str(each["means"])
                for each in self.dimensions[key]["levels"]
                if each["value"] == value
            ),
            "",
        )

    def differing(self, scope: Json) -> list[str]:
        """The dimensions in which a system differs from requests that name none, at either end of
        the period.
        """
        general = self.now[0]
        return [key for key in self.dimensions if self._differs(scope, general, key)]

    @property
    def plain(self) -> str:
        """The systems that differ in nothing from requests that name none."""
        alike = [each["key"] for each in self.systems if not self.differing(each)]
        return listed(alike[:LISTED]) + (
            f" and {len(alike) - LISTED} more" if len(alike) > LISTED else ""
        )

    def _differs(self, scope: Json, general: Json, key: str) -> bool:
        end = (scope["end"] or {}).get(key)
        changed = end is not None and (end["value"], end["kind"]) != (
            general["end"][key]["value"],
            general["end"][key]["kind"],
        )
        return (
            changed or (scope["begin"] or {}).get(key) != (general["begin"] or {}).get(key)
            if scope["begin"]
            else changed
        )

    # ---- titles of the sections

    @property
    def force_title(self) -> str:
        total, tier = sum(self.deciding.values()), self.deciding["tier"]
        return (
            f"The tier decides {out_of(tier, total, 'value')}; other layers decide the rest"
            if tier < total
            else "The tier alone decides every value"
        )

    @property
    def moved_title(self) -> str:
        begin, end = self.snapshot["points"][0], self.snapshot["points"][-1]
        before, after = self.strictness(begin["values"]).steps, self.strictness(end["values"]).steps
        if before == after:
            return (
                f"Strictness ends where it began, at {after} of"
                f" {self.strictness(end['values']).most} steps"
            )
        return (
            f"The policy {'gained' if after > before else 'lost'}"
            f" {many(abs(after - before), 'step')} of strictness"
        )

    @property
    def changes_title(self) -> str:
        if self.is_day:
            return (
                f"How version {self.versions[0]['number']} came into force"
                if self.versions
                else "No version was ever put in force"
            )
        if not self.versions:
            return "No version came into force in the period"
        count, loose = len(self.versions), len(self.looser)
        start = f"{capital(many(count, 'version'))} came into force"
        if not loose:
            return f"{start}; none loosened anything"
        return f"{start}; {many(loose, 'version')} loosened" + (
            ", each with two persons"
            if not self.alone and loose > 1
            else ", with two persons"
            if not self.alone
            else ""
        )

    @property
    def floor_title(self) -> str:
        changes, count = (
            len(self.snapshot["floor"]["changes"]),
            len(self.snapshot["floor"]["values"]),
        )
        start = f"The floor holds {many(count, 'dimension')}"
        if self.is_day:
            return start
        return (
            f"{start} and changed {'once' if changes == 1 else many(changes, 'time')}"
            if changes
            else f"{start} and did not change"
        )

    @property
    def waivers_title(self) -> str:
        stood, live = len(self.live) + len(self.ended), len(self.live)
        if not stood:
            return "No waiver stood: nothing was below the floor"
        if live == stood:
            return f"{capital(many(stood, 'waiver'))} {is_(stood)} open"
        return (
            f"{capital(many(stood, 'waiver'))} stood; {words(live) if live else 'none'} {is_(live)}"
            " still open"
        )

    @property
    def stops_title(self) -> str:
        stops = self.snapshot["stops"]
        if not stops:
            return "Nothing stood stopped" if self.is_day else "Nothing was stopped in the period"
        start = f"{capital(many(len(stops), 'stop'))}"
        if self.slowest is not None and any(each["slowest_ms"] is not None for each in stops):
            slow = max(each["slowest_ms"] for each in stops if each["slowest_ms"] is not None)
            return f"{start}; the slowest consumer obeyed after {speed(slow)}"
        return (
            f"{start}; no consumer was there to obey"
            if not any(each["heard"] for each in stops)
            else start
        )

    @property
    def drills_title(self) -> str:
        armed, switches = len(self.switches("armed")), len(self.snapshot["switches"])
        if not switches:
            return "No AI system is registered, so no switch can be drilled"
        return (
            f"{capital(out_of(armed, switches, 'switch')).replace('switchs', 'switches')}"
            f" {is_(armed)} proven by a drill"
        )

    @property
    def contents(self) -> list[tuple[str, str, str]]:
        """Anchor, topic and conclusion of each section, numbered."""
        sections = [
            ("force", "In force", self.force_title),
            ("changes", "Changes", self.changes_title),
            ("floor", "The floor", self.floor_title),
            ("waivers", "Waivers", self.waivers_title),
            ("stops", "Stops", self.stops_title),
            ("drills", "Drills", self.drills_title),
            ("method", "Method", METHOD_TITLE),
            ("control", "Document control", CONTROL_TITLE),
        ]
        return [
            ("summary", "Executive summary", self.summary_title),
            *((a, f"{n} {topic}", title) for n, (a, topic, title) in enumerate(sections, 1)),
        ]

    def in_one_line(self, scope: Json) -> str:
        """Who decides, the layers with most dimensions first: "tier 9, lane 4, floor 2"."""
        found = self.decided(scope)
        return ", ".join(
            f"{KIND_NAMES[kind].lower()} {found[kind]}"
            for kind in sorted(found, key=lambda kind: (-found[kind], KINDS.index(kind)))
        )


def moment(value: str | None) -> str:
    """As "25 Nov 2026, 09:24" (UTC, which the method says)."""
    return f"{day(value, short=True)}, {datetime.fromisoformat(value):%H:%M}" if value else NOTHING


__all__ = [
    "CONTROL_TITLE",
    "KINDS",
    "KIND_NAMES",
    "METHOD_TITLE",
    "ONE_LINE",
    "AttestationPoint",
    "Attested",
    "Sequence",
    "moment",
    "shown",
    "speed",
]
