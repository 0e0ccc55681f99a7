"""The findings of a policy attestation, the worst first. Pure."""

from collections.abc import Iterator
from functools import cached_property

from governance.publishing.reports.attestation.figures import AttestationFigures
from governance.publishing.reports.report_points import MAX_KEY_FINDINGS, ReportPoint, worst_first
from governance.publishing.reports.wording import (
    capital,
    clip,
    day,
    digits,
    first_of,
    has,
    is_,
    its,
    listed,
    many,
    out_of,
    sentence,
    sentences,
)

MAX_NAMED = 3
NEEDS_DECISION = 4  # Points of a lower weight need somebody's decision.
NO_ACTION = "No action needed."


class AttestationKeyFindings(AttestationFigures):
    """The points of the executive summary, and the decisions that they need."""

    @property
    def tier_words(self) -> str:
        """The tier, such as "tier Strict, version 4" or "the default tier Standard"."""
        tier = self.snapshot["tier"]
        name = clip(tier["name"], 18)
        return (
            f"tier {name}, version {tier['version']}"
            if tier["version"]
            else f"the default tier {name}"
        )

    @property
    def key_findings(self) -> list[ReportPoint]:
        return self.points[:MAX_KEY_FINDINGS]

    @property
    def needing_decision(self) -> list[ReportPoint]:
        return [each for each in self.points if each.weight < NEEDS_DECISION]

    @cached_property
    def points(self) -> list[ReportPoint]:
        """Every point, the worst first. There is always at least one."""
        return worst_first(self._points())

    def _points(self) -> Iterator[ReportPoint]:
        yield from self._loosened_alone()
        yield from self._failed_switches()
        yield from self._unconfirmed_stop()
        yield from self._waiver()
        yield from self._active_stop()
        yield from self._unproven_switches()
        yield from self._pending_change()
        yield from self._no_policy()
        yield from self._settled()

    def _loosened_alone(self) -> Iterator[ReportPoint]:
        for each in self.alone[:1]:
            yield ReportPoint(
                0,
                f"Version {each['number']} loosened the policy without a second approver",
                f"{each['made_by']} published it on {day(each['at'])}:"
                f" {clip(sentence(each['reason']), 120)}",
                "Review it now.",
                "Loosening a policy needs two people.",
                "changes",
            )

    def _failed_switches(self) -> Iterator[ReportPoint]:
        for each in self.switches("dead")[:2]:
            yield ReportPoint(
                0,
                f"The kill switch of {each['system']} failed its last drill",
                f"In the drill on {day(each['last'])}, not every consumer confirmed the stop. Until"
                f" a drill passes, do not rely on stopping {each['system']}.",
                "Find the consumer that did not confirm, then repeat the drill.",
                "Lowers MANAGE 2.4.",
                "drills",
            )

    def _unconfirmed_stop(self) -> Iterator[ReportPoint]:
        for each in [stop for stop in self.active_stops if stop["missing"]][:1]:
            missing = len(each["missing"])
            yield ReportPoint(
                0,
                f"{capital(many(missing, 'consumer'))} {has(missing)} not confirmed the stop of"
                f" {clip(each['scope'], 40)}",
                f"{each['by']} stopped it on {day(each['at'])}; {digits(each['obeyed'])} of"
                f" {digits(each['expected'])} consumers confirmed. Missing:"
                f" {clip(', '.join(each['missing']), 90)}.",
                "Stop those consumers by other means.",
                "The stop is still active.",
                "stops",
            )

    def _waiver(self) -> Iterator[ReportPoint]:
        if not self.live:
            return
        each = min(self.live, key=lambda w: (not self.is_used(w), w["expires_at"]))
        others, key = len(self.live) - 1, each["dimension"]
        too = f", and {many(others, 'other waiver')} {is_(others)} active" if others else ""
        title = (
            f"{self.title(key)} of {each['system']} is below the platform minimum"
            if self.is_used(each)
            else f"A waiver for {each['system']} is active but not used"
        )
        text = (
            f"{self.title(key)}: {self.value(key, each['value'])} instead of"
            f" {self.value(key, each['floor'])}. {sentence(each['reason'])} Compensating measure:"
            f" {sentence(each['compensation'])}"
        )
        yield ReportPoint(
            2,
            title + too,
            clip(text, 230),
            f"Ends on {day(each['expires_at'])}.",
            f"Requested by {each['requested_by']}, approved by {each['first_by']} and"
            f" {each['second_by']}.",
            "waivers",
        )

    def _active_stop(self) -> Iterator[ReportPoint]:
        for each in self.active_stops[:1]:
            others = len(self.active_stops) - 1
            too = f", and {many(others, 'other stop')} {is_(others)} active" if others else ""
            yield ReportPoint(
                2,
                f"{capital(clip(each['scope'], 40))} has been stopped since {day(each['at'])}{too}",
                clip(sentence(each["reason"]), 200) + " Nothing restarts automatically.",
                "Decide whether to restart it.",
                f"Stopped by {each['by']}.",
                "stops",
            )

    def _unproven_switches(self) -> Iterator[ReportPoint]:
        unproven = self.switches("unproven")
        if unproven:
            count, all_ = len(unproven), len(self.snapshot["switches"])
            named = first_of([each["system"] for each in unproven], MAX_NAMED)
            yield ReportPoint(
                3,
                f"{capital(out_of(count, all_, 'kill switch', 'kill switches'))} {is_(count)}"
                " unproven",
                f"No drill of {named} passed in the {self.snapshot['proven_for']} days before"
                f" {self.until}. An untested switch may fail when it is needed.",
                "Run a drill for each.",
                "A drill takes a few seconds and is approved in advance.",
                "drills",
            )

    def _pending_change(self) -> Iterator[ReportPoint]:
        for each in self.snapshot["waiting"][:1]:
            is_requested = each["state"] == "requested"
            yield ReportPoint(
                3,
                (
                    "A policy change awaits a second approver"
                    if is_requested
                    else "An approved policy change is scheduled"
                ),
                f"{each['made_by']} requested it on {day(each['requested_at'])}:"
                f" {clip(sentence(each['reason']), 140)}",
                "Approve or reject it." if is_requested else "Check its start date.",
                "The current policy applies until then.",
                "changes",
            )

    def _no_policy(self) -> Iterator[ReportPoint]:
        if not self.snapshot["tier"]["version"]:
            yield ReportPoint(
                3,
                "No policy has ever been published",
                f"The operator's default tier {self.snapshot['tier']['name']} applies, and no one"
                " in the organization has approved it.",
                "Choose a tier and publish a policy.",
                "Owner: an admin.",
                "force",
            )

    def _settled(self) -> Iterator[ReportPoint]:
        if self.looser and not self.alone and not self.is_day:
            last, count = self.looser[-1], len(self.looser)
            yield ReportPoint(
                4,
                f"{capital(many(count, 'loosening change'))} {has(count)} a second approver",
                f"The last was version {last['number']}, published on {day(last['at'])}:"
                f" {clip(sentence(last['reason']), 130)}",
                NO_ACTION,
                f"Prepared by {last['made_by']}, approved by {last['decided_by']}.",
                "changes",
            )
        proven = self.switches("armed")
        if proven and len(proven) == len(self.snapshot["switches"]):
            yield ReportPoint(
                5,
                (
                    "The one kill switch is proven"
                    if len(proven) == 1
                    else f"All {many(len(proven), 'kill switch', 'kill switches')} are proven"
                ),
                f"Each passed its last drill within {self.snapshot['proven_for']} days; the oldest"
                f" drill was on {day(min(each['last'] for each in proven))}.",
                NO_ACTION,
                "Keep the drill schedule.",
                "drills",
            )
        yield ReportPoint(
            6,
            "The platform minimum decides"
            f" {out_of(self.deciding['floor'], sum(self.deciding.values()), 'value')}",
            "There, the tenant's own settings are no stricter. Everywhere else, the tenant's own"
            " settings apply.",
            NO_ACTION,
            "The operator sets the platform minimum.",
            "floor",
        )
        if not self.versions and not self.is_day:
            yield ReportPoint(
                6,
                "The policy did not change in the period",
                f"{capital(self.tier_words)}, applied throughout.",
                NO_ACTION,
                "Compare with your change register.",
                "changes",
            )

    @property
    def request(self) -> str:
        """The decisions that management has to make."""
        requests = []
        if count := len(self.alone):
            requests.append(f"review {many(count, 'loosening change')} without a second approver")
        if failed := self.switches("dead"):
            requests.append(f"repeat the drill of {listed([e['system'] for e in failed[:3]])}")
        if not self.snapshot["tier"]["version"]:
            requests.append("choose a tier and publish a policy")
        if count := len(self.snapshot["waiting"]):
            requests.append(f"decide on {many(count, 'pending policy change')}")
        if count := len(self.active_stops):
            requests.append(f"decide whether to end {many(count, 'active stop')}")
        if count := len(self.live):
            requests.append(
                f"review {many(count, 'active waiver')} and {its(count)} compensating"
                f" measure{'' if count == 1 else 's'}"
            )
        if count := len(self.switches("unproven")):
            requests.append(
                f"schedule {'a drill' if count == 1 else 'drills'} for"
                f" {many(count, 'unproven switch', 'unproven switches')}"
            )
        return sentences(*requests) or "This report needs no decision."
