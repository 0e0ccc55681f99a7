"""Rollout steps on the timelines of their system's incidents, where stops are shown, too."""

import re

from governance.operations.rollouts import actions, queries
from governance.operations.rollouts.status import status_of
from governance.operations.systems import queries as register
from tests import make
from tests.assurance.frameworks.framework_files import main_text
from tests.assurance.incidents import incident_helpers as incidents
from tests.operations.rollouts.rollout_helpers import planned, world
from tests.operations.switches import switch_helpers


def test_an_incident_has_the_steps_of_its_systems_rollouts_and_no_others(app, isolated, as_officer):
    world()
    other = switch_helpers.register_system("ad-copywriter")
    with make.acting("viewer", read_only=True):
        triage = register.system("claims-triage").id
    mine, others = (incidents.declare(systems=[each]) for each in (triage, other))
    rollout_id = planned()
    with make.acting("contributor"):
        row = queries.rollout(rollout_id)
        for step in ("start", "halt", "resume", "roll_back"):
            if step in {"start", "resume"}:
                seen = status_of(row).fingerprint
                actions.advance(row, step=step, seen=seen, reason="Looked at.")
            else:
                taken = {"halt": actions.halt, "roll_back": actions.roll_back}[step]
                taken(row, reason="Adjusters complained.")
    page = as_officer.get(f"incidents/{mine}")
    said = main_text(page)
    for past in ("started", "halted", "resumed", "rolled back"):
        assert f"{past} RO-1 of claims-triage, release 2026.12.0, in shadow" in said
    assert "Adjusters complained." in said and "planned RO-1" not in said
    assert re.search(r'class="c-src" href="[^"]*/audit/entries/', page.text)
    assert "RO-1" not in main_text(as_officer.get(f"incidents/{others}"))
