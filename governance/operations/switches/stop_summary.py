"""The summary of a stop or drill on pages: headline, chart of consumers, and first second."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from markupsafe import Markup

from governance.foundation.people import permissions as people_permissions
from governance.foundation.people import queries as people
from governance.kernel import clock, formatting
from governance.kernel.safety.access import allowed
from governance.operations.switches import queries
from governance.operations.switches.active_stops import planes
from governance.operations.switches.models import Stop
from governance.operations.switches.obedience_chart import RegionObedience, obedience_chart
from governance.operations.switches.stop_propagation import TARGET_SECONDS, Obedience

LIVE_FOR = timedelta(minutes=1)  # The page updates itself for this long after a stop


def moment(at: datetime) -> str:
    """Format an instant: 25 November 2026, 09:42:17 Berlin."""
    local = at.astimezone(formatting.zone())
    return (
        f"{formatting.long_day(local.date())}, {local:%H:%M:%S}"
        f" {formatting.zone().key.rpartition('/')[2].replace('_', ' ')}"
    )


def _exact(at: datetime) -> str:
    return f"{at.astimezone(formatting.zone()):%H:%M:%S}.{at.microsecond // 1000:03}"


def names_shown(*ids: UUID | None) -> dict[UUID, str]:
    """Return names by id; empty if the reader may only see pseudonyms."""
    return people.names(ids) if allowed(people_permissions.NAMES) else {}


def summary(shown: Stop | None, obeyed: Obedience | None) -> dict[str, Any]:
    """Return the headline of a stop, its chart and its first second."""
    if shown is None:
        return {"shown": None, "live": False}
    found = obeyed or Obedience()
    return {
        "shown": shown,
        "obeyed": found,
        "headline": _obeyed_by(found),
        "planes": planes(generate=shown.generate, serve=shown.serve),
        "when": moment(shown.created_at),
        "chart": _chart(shown, found) if found.expected else None,
        "what": queries.names_of([shown])[shown.id],
        "live": shown.restarted_at is None and clock.now() - shown.created_at < LIVE_FOR,
        "stopper": (
            names_shown(shown.stopped_by).get(shown.stopped_by) if shown.stopped_by else None
        ),
        "first": _first_second(shown, found),
    }


def _obeyed_by(obeyed: Obedience) -> str:
    if not obeyed.expected:
        return "No consumer connected in the 24 hours before, so none had to obey"
    line = f"Obeyed by {obeyed.obeyed} of {formatting.plural(obeyed.expected, 'consumer')}"
    return f"{line}, slowest {_seconds(obeyed.slowest)}" if obeyed.slowest is not None else line


def _seconds(value: float | None) -> str:
    """Return "0.8 s", "12 s" or "4 minutes", for a sentence."""
    if value is None:
        return ""
    if value < 10:  # noqa: PLR2004 - tenths matter below 10 s
        return f"{value:.1f} s"
    # Up to two minutes, show seconds.
    return f"{value:.0f} s" if value < 120 else formatting.plural(round(value / 60), "minute")  # noqa: PLR2004


def _chart(shown: Stop, obeyed: Obedience) -> Markup:
    regions = [
        RegionObedience(name, [o.seconds for o in each if o.seconds is not None], len(each))
        for name, each in obeyed.regions.items()
    ]
    return obedience_chart(
        regions,
        _obeyed_by(obeyed),
        promise=TARGET_SECONDS,
        median=obeyed.median,
        clicked=f"stopped at {_exact(shown.created_at)}",
        until=(
            "seconds until each consumer acknowledged version"
            f" {formatting.thousands(shown.version)}"
        ),
    )


def _first_second(shown: Stop, obeyed: Obedience) -> list[dict[str, Any]]:
    """Return the events of a stop: from the log, and from the acknowledgements."""
    on = " and ".join(
        word for word, is_on in (("generate", shown.generate), ("serve", shown.serve)) if is_on
    )
    reached = [one for one in obeyed.each if one.seconds is not None]
    action_name = "switch.drill.started" if shown.drill_id else f"switch.{shown.scope}.stopped"
    lines: list[tuple[float, dict[str, Any]]] = [
        (
            0.0,
            _line(
                "stop",
                action_name,
                f"version {formatting.thousands(shown.version)}, {on}",
                _exact(shown.created_at),
            ),
        ),
    ]
    if reached and not (len(reached) == 1 and obeyed.is_whole):
        lines.append(
            (
                reached[0].seconds or 0,
                _line(
                    "dot",
                    "First consumer obeyed",
                    reached[0].listener.name,
                    f"+{reached[0].seconds:.2f} s",
                ),
            )
        )
    if obeyed.is_whole:
        lines.append(
            (
                obeyed.slowest or 0,
                _line(
                    "ok",
                    (
                        "The only consumer obeyed"
                        if obeyed.expected == 1
                        else f"All {obeyed.expected} consumers obeyed"
                    ),
                    f"last: {reached[-1].listener.name}",
                    f"+{obeyed.slowest:.2f} s",
                ),
            )
        )
    for each in people.timeline([shown.id]):
        if each.action != action_name:
            after = (each.at - shown.created_at).total_seconds()
            lines.append(
                (after, _line("dot", each.action, each.reason or "", f"+{_seconds(after)}"))
            )
    return [line for _, line in sorted(lines, key=lambda pair: pair[0])]


def _line(kind: str, lead: str, meta: str, at: str) -> dict[str, Any]:
    return {"kind": kind, "text": Markup("<b>{}</b>").format(lead), "meta": meta, "at": at}
