"""Ports of the objectives' pages that features above them implement, with empty defaults.

A result that draws something is Markup, ready for the page. The implementing feature renders its
own template with `draw("operations/alerts/rule_panel.html", …)`: Flask's render_template would read
the frame of the page once more. Such a template has `c` (the components), `url_for`, `may`,
`csrf_token` and the filters, but not the context of the page (`tenant`, `current`).

    alert_states(objective_ids)    AlertState of each objective with an open alert; one statement
    alert_panel(objective_ids)     rows at the head of both pages: <section class="c-alert …">s, open
                                   alerts of these objectives, the most urgent first, with their
                                   actions; they use "a" (data-key) if one can be acknowledged
    rule_panel(reading)            the cell of screen 12 with the burn-rate rules: a complete
                                   <section class="c-cell …"> with its h2
    backtest_panel(objective)      the next cell: a complete <section class="c-cell …">
    uses_of(objective_ids)         uses of these objectives: agreements' commitments
    incidents_of(system_id, span)  incidents that affected the AI system in the window, the earliest
                                   first; one statement
    status_page()                  the page that shows customers the state of objectives
    firing_count                   () -> Select of one number for the navigation's badge
    coming_up_…                    upcoming items of incidents, statements, playbooks; maintenance
                                   is called directly

`uses_of` and `alert_states` get all objectives of a list and must run one statement each.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol
from uuid import UUID

from flask import current_app
from markupsafe import Markup, escape
from sqlalchemy import Select

from governance.kernel.intervals import Span
from governance.kernel.ports import Port
from governance.operations.objectives.models import Objective
from governance.operations.objectives.reading import Reading


@dataclass(frozen=True, slots=True)
class AlertState:
    """The open alert of an objective.

    `detail` is the small line below the state, such as "INC-34; no approvals since 09:42". If it is
    empty, the page shows when the budget will be exhausted.
    """

    state: Literal["firing", "acknowledged"]
    alert_id: UUID
    ref: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Use:
    """Something that uses an objective.

    `short` is the text in the list ("AGR-2"); `state` is (kind, text) as c.state takes it.
    """

    short: str
    label: str
    href: str | None = None
    note: str = ""
    state: tuple[str, str] | None = None
    icon: str = "file-certificate"


@dataclass(frozen=True, slots=True)
class IncidentMark:
    """An incident's impact on the system of an objective. `end` is None while it continues."""

    ref: str
    title: str
    state: tuple[str, str]
    href: str
    start: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True)
class ComingUp:
    """An item of "Coming up": name, time, and the small line below."""

    at: datetime
    label: str
    href: str | None = None
    note: str = ""
    icon: str = "calendar-event"


class DrawsRules(Protocol):
    """Port that draws the rules of an objective, with both windows of each against its limit."""

    def __call__(self, reading: Reading) -> Markup | None: ...


type AlertStates = Callable[[Collection[UUID]], Mapping[UUID, AlertState]]
type DrawsAlerts = Callable[[Sequence[UUID]], Markup | None]
type DrawsBacktest = Callable[[Objective], Markup | None]
type UsesOf = Callable[[Collection[UUID]], Mapping[UUID, Sequence[Use]]]
type IncidentsOf = Callable[[UUID, Span], Sequence[IncidentMark]]
type StatusPage = Callable[[], Use | None]
type Coming = Callable[[], Sequence[ComingUp]]
type FiringCount = Callable[[], Select[Any] | None]


def _no_states(_ids: Collection[UUID]) -> Mapping[UUID, AlertState]:
    return {}


def _no_uses(_ids: Collection[UUID]) -> Mapping[UUID, Sequence[Use]]:
    return {}


alert_states: Port[AlertStates] = Port("open alerts of objectives", default=_no_states)
alert_panel: Port[DrawsAlerts] = Port("alerts above objectives", default=lambda _ids: None)
rule_panel: Port[DrawsRules] = Port("burn-rate rules", default=lambda reading: None)  # noqa: ARG005
backtest_panel: Port[DrawsBacktest] = Port("back-test of rules", default=lambda _objective: None)
uses_of: Port[UsesOf] = Port("what uses objectives", default=_no_uses)
incidents_of: Port[IncidentsOf] = Port(
    "incidents of a system",
    default=lambda _system_id, _span: (),
)
status_page: Port[StatusPage] = Port("status page of a tenant", default=lambda: None)
firing_count: Port[FiringCount] = Port("how many alerts fire", default=lambda: None)
coming_up_incidents: Port[Coming] = Port("deadlines of incidents", default=tuple)
coming_up_statements: Port[Coming] = Port("months that close", default=tuple)
coming_up_playbooks: Port[Coming] = Port("planned drills of playbooks", default=tuple)


def draw(template: str, **context: Any) -> Markup:
    """Render a part of a page without the frame's context, which the page has already read."""
    return escape(current_app.jinja_env.get_template(template).make_module(context))
