"""The sentences of a policy attestation: figures, titles and ledes. Pure.

They are made from the snapshot and nothing else.

    Attested(snapshot)      each property is a number, a title, a paragraph or the rows of a table

Titles are conclusions. A number in a sentence is the number in the table beside it.
"""

from governance.publishing.reports.ai_rmf.sentences import numbered
from governance.publishing.reports.attestation.figures import KIND_NAMES, KINDS, Json, speed
from governance.publishing.reports.attestation.findings import AttestationKeyFindings
from governance.publishing.reports.order.section import order_contents
from governance.publishing.reports.wording import (
    MAX_NAME_LENGTH,
    TWO_LINES,
    capital,
    clip,
    day,
    first_of,
    is_,
    many,
    out_of,
    verb,
    was,
    words,
)

MAX_ALIKE = 12  # Systems named in a sentence.
METHOD_TITLE = "How this was recorded, and what this report does not show"
CONTROL_TITLE = "Version, distribution and verification"


class Attested(AttestationKeyFindings):
    """The sentences of the report about a snapshot."""

    @property
    def who(self) -> str:
        name = self.snapshot["tenant"]["name"]
        return name if len(name) <= MAX_NAME_LENGTH else "The organization"

    @property
    def summary_title(self) -> str:
        needing = self.needing_decision
        comma = "," if self.snapshot["tier"]["version"] else ""
        start = f"{capital(self.tier_words)}{comma} {'was' if self.is_day else 'is'} in force"
        if not needing:
            return f"{start}, and nothing needs a decision"
        claim = needing[0].claim
        title = f"{start}; {claim[:1].lower()}{claim[1:]}"
        if len(title) <= TWO_LINES:
            return title
        return f"{start}; {many(len(needing), 'item')} {verb(len(needing), 'need')} a decision"

    @property
    def kpis(self) -> list[tuple[str, str, str, str]]:
        """The key figures: label, figure, its unit, its comparison."""
        tier, switches = self.snapshot["tier"], self.snapshot["switches"]
        since = (
            f"Version {tier['version']} since {day(tier['since'], short=True)}"
            if tier["version"]
            else "Default: no policy published"
        )
        second = (
            ("Active stops", str(len(self.active_stops)), "", self._stops_words)
            if self.is_day
            else ("Versions published", str(len(self.versions)), "", self._changes_words)
        )
        return [
            ("Tier in force", clip(tier["name"], 10), "", since),
            second,
            ("Active waivers", str(len(self.live)), "", self._waivers_words),
            (
                "Switches proven",
                str(len(self.switches("armed"))),
                f"of {len(switches)}",
                f"Passed a drill within {self.snapshot['proven_for']} days",
            ),
        ]

    @property
    def _changes_words(self) -> str:
        loosened = len(self.looser)
        if not self.versions:
            return "None in the period"
        if not loosened:
            return "All tightened the policy"
        return f"{loosened} loosened, {loosened - len(self.alone)} with a second approver"

    @property
    def _waivers_words(self) -> str:
        soonest = min((each["expires_at"] for each in self.live), default=None)
        if soonest:
            return f"First ends on {day(soonest, short=True)}"
        if self.is_day or not self.ended:
            return "Nothing is below the platform minimum"
        return f"{len(self.ended)} ended in the period"

    @property
    def _stops_words(self) -> str:
        return "Active until someone restarts them" if self.active_stops else "Nothing is stopped"

    @property
    def lede(self) -> str:
        """The lede of at most four lines, about 350 characters."""
        count = len(self.systems)
        scope = (
            f"The policy applied to {many(count, 'AI system')} {self.span}."
            if count
            else f"No AI system was registered {self.span}."
        )
        return f"{scope} {self._decision_words} {self._stop_words}"

    @property
    def _decision_words(self) -> str:
        return self._decision_of_day if self.is_day else self._changes_of_period

    @property
    def _decision_of_day(self) -> str:
        if not self.versions:
            return "No policy has ever been published, so the operator's default tier applied."
        version = self.versions[0]
        start = f"{version['made_by']} prepared version {version['number']}"
        if version["decided_by"]:
            return f"{start}, and {version['decided_by']} approved it."
        return f"{start}; it loosened nothing, so one person could publish it."

    @property
    def _changes_of_period(self) -> str:
        count, loose = len(self.versions), len(self.looser)
        if not count:
            return "The policy did not change."
        times = {1: "once", 2: "twice"}.get(count, many(count, "time"))
        start = f"The policy changed {times}"
        if not loose:
            return f"{start}, and {'it' if count == 1 else 'every change'} became stricter."
        if alone := len(self.alone):
            return f"{start}; {many(alone, 'loosening change')} had no second approver."
        return (
            f"{start}; {out_of(loose, count, 'change')} loosened a setting and"
            f" {was(loose)} approved by a second person."
        )

    @property
    def _stop_words(self) -> str:
        stops, active = len(self.snapshot["stops"]), len(self.active_stops)
        if not stops:
            return "No stop was active." if self.is_day else "Nothing was stopped."
        slow = (
            f" The slowest consumer confirmed after {speed(self.slowest)}."
            if self.slowest is not None
            else ""
        )
        start = f"{capital(many(stops, 'stop'))} {was(stops)}"
        if self.is_day:
            return f"{start} active.{slow}"
        if not active:
            return f"{start} ordered and lifted again.{slow}"
        if active == stops:
            return f"{start} ordered and {is_(stops)} still active.{slow}"
        return f"{start} ordered; {words(active)} {is_(active)} still active.{slow}"

    @property
    def alike(self) -> str:
        """The systems whose settings equal those of requests that name no system."""
        names = [each["key"] for each in self.systems if not self.differing(each)]
        return first_of(names, MAX_ALIKE)

    def in_one_line(self, scope: Json) -> str:
        """Return the deciding layers, those with most settings first: "tier 9, risk class 4"."""
        found = self.decided(scope)
        return ", ".join(
            f"{KIND_NAMES[kind].lower()} {found[kind]}"
            for kind in sorted(found, key=lambda kind: (-found[kind], KINDS.index(kind)))
        )

    @property
    def force_title(self) -> str:
        total, tier = sum(self.deciding.values()), self.deciding["tier"]
        if tier == total:
            return "The tier alone decides every value"
        return f"The tier decides {out_of(tier, total, 'value')}; other layers decide the rest"

    @property
    def moved_title(self) -> str:
        begin, end = self.snapshot["points"][0], self.snapshot["points"][-1]
        before, after = self.strictness(begin["values"]), self.strictness(end["values"])
        change = after.steps - before.steps
        if not change:
            return f"Strictness is unchanged at {after.steps} of {after.most} steps"
        return (
            f"The policy became {'stricter' if change > 0 else 'looser'} by"
            f" {many(abs(change), 'step')}"
        )

    @property
    def changes_title(self) -> str:
        if self.is_day:
            if not self.versions:
                return "No version has ever been published"
            return f"How version {self.versions[0]['number']} was approved"
        if not self.versions:
            return "No version was published in the period"
        count, loose = len(self.versions), len(self.looser)
        start = f"{capital(many(count, 'version'))} {was(count)} published"
        if not loose:
            return f"{start}; none loosened the policy"
        approved = "" if self.alone else ", approved by a second person"
        return f"{start}; {words(loose)} loosened the policy{approved}"

    @property
    def floor_title(self) -> str:
        changes = len(self.snapshot["floor"]["changes"])
        settings = many(len(self.snapshot["floor"]["values"]), "setting")
        start = f"The platform minimum covers {settings}"
        if self.is_day:
            return start
        if not changes:
            return f"{start} and did not change"
        return f"{start} and changed {'once' if changes == 1 else many(changes, 'time')}"

    @property
    def waivers_title(self) -> str:
        count, live = len(self.live) + len(self.ended), len(self.live)
        if not count:
            return "No waiver was active, so nothing was below the platform minimum"
        if live == count:
            return f"{capital(many(count, 'waiver'))} {is_(count)} active"
        return (
            f"{capital(many(count, 'waiver'))} {was(count)} active; {words(live)} still {is_(live)}"
        )

    @property
    def stops_title(self) -> str:
        stops = self.snapshot["stops"]
        if not stops:
            return "Nothing is stopped" if self.is_day else "Nothing was stopped in the period"
        start = capital(many(len(stops), "stop"))
        times = [each["slowest_ms"] for each in stops if each["slowest_ms"] is not None]
        if times:
            return f"{start}; the slowest consumer confirmed after {speed(max(times))}"
        if not any(each["heard"] for each in stops):
            return f"{start}; no consumer was connected"
        return start

    @property
    def drills_title(self) -> str:
        proven, switches = len(self.switches("armed")), len(self.snapshot["switches"])
        if not switches:
            return "No AI system is registered, so there is no switch to drill"
        return (
            f"{capital(out_of(proven, switches, 'switch', 'switches'))} {is_(proven)} proven by a"
            " drill"
        )

    @property
    def contents(self) -> list[tuple[str, str, str]]:
        """The anchor, topic and conclusion of each section, numbered."""
        sections = [
            ("force", "In force", self.force_title),
            ("changes", "Changes", self.changes_title),
            ("floor", "Platform minimum", self.floor_title),
            ("waivers", "Waivers", self.waivers_title),
            ("stops", "Stops", self.stops_title),
            ("drills", "Drills", self.drills_title),
            *order_contents(self.snapshot),
            ("method", "Method", METHOD_TITLE),
            ("control", "Document control", CONTROL_TITLE),
        ]
        return numbered(self.summary_title, sections)
