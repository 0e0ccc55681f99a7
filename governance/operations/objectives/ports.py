"""What the pages of objectives ask of the features above them; each has an empty default.

An answer that draws something is Markup, ready for the page. The answering feature renders its own
template with `draw("operations/alerts/rule_panel.html", …)`: Flask's render_template would read the
frame of the page once more. Inside such a template `c` (the components), `url_for`, `may`,
`csrf_token` and the filters are there; the context of the page (`tenant`, `current`) is not.

    alert_states(objective_ids)    AlertState of each objective with an open alert; one statement
    alert_panel(objective_ids)     rows at the head of both pages: <section class="c-alert …">s, open
                                   alerts of these objectives, the most urgent first, with their
                                   verbs; they take over "a" (data-key) where one can be acknowledged
    rule_panel(reading)            the cell of screen 12 with the burn-rate rules: a whole
                                   <section class="c-cell …"> with its h2
    backtest_panel(objective)      the cell beside it: a whole <section class="c-cell …">
    uses_of(objective_ids)         what uses these objectives: agreements' commitments
    incidents_of(system_id, span)  incidents that touched the AI system in the window, the earliest
                                   first; one statement
    status_page()                  where customers see the state of objectives
    firing_count                   () -> Select of one number for the navigation's badge
    coming_up_…                    what comes next in incidents, statements, playbooks; maintenance
                                   is asked directly

`uses_of` and `alert_states` are asked with all objectives of a list: answer in one statement each.
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

    `detail` is the small line below the state, such as "INC-34; no approvals since 09:42"; empty:
    the page says when the budget is gone.
    """

    state: Literal["firing", "acknowledged"]
    alert_id: UUID
    ref: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Use:
    """Something that uses an objective.

    `short` is what the list shows ("AGR-2"); `state` is (kind, text) as c.state takes it.
    """

    short: str
    label: str
    href: str | None = None
    note: str = ""
    state: tuple[str, str] | None = None
    icon: str = "file-certificate"


@dataclass(frozen=True, slots=True)
class IncidentMark:
    """An incident's impact on the system of an objective; `end` is None while it goes on."""

    ref: str
    title: str
    state: tuple[str, str]
    href: str
    start: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True)
class ComingUp:
    """An item of "Coming up": what, when, and the small line below."""

    at: datetime
    label: str
    href: str | None = None
    note: str = ""
    icon: str = "calendar-event"


class DrawsRules(Protocol):
    """Draw the rules of an objective, with both windows of each against its limit."""

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
    """Render a part of a page without the frame's context, which the page has read already."""
    return escape(current_app.jinja_env.get_template(template).make_module(context))
