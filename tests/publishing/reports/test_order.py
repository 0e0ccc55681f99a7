"""The order proof: each step is an entry of the log, and the verifier checks the order itself."""

import copy
import io
import json
from itertools import pairwise
from typing import Any

import pikepdf
import pytest

from governance.assurance.assessments import assessment_actions
from governance.assurance.controls import actions as controls
from governance.assurance.controls import control_test_actions as control_tests
from governance.assurance.controls import mapping_actions
from governance.assurance.controls.control_record import ControlContent
from governance.assurance.controls.models import Control
from governance.assurance.frameworks import queries as frameworks
from governance.foundation.audit import sequencer
from governance.foundation.people.jobs import actor_of
from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.kernel.work import jobs
from governance.operations.policies.effective_policies import Content
from governance.operations.policies.policy_diff import with_value
from governance.publishing.reports import kinds
from governance.publishing.reports.order import chains, check
from governance.publishing.reports.order.section import order_section
from governance.publishing.reports.signatures.verify import verify
from tests import make
from tests.assurance.assessments.assessment_helpers import KEY, PERIOD, conclude, item_of
from tests.assurance.evidence import evidence_helpers
from tests.assurance.testing import type2_helpers
from tests.name_helpers import show_names
from tests.operations.policies.conftest import put_in_force
from tests.publishing.reports.report_helpers import frozen_facts

pytestmark = pytest.mark.slow

REF = "MEASURE 2.7"


@pytest.fixture
def assessed(acting):
    """Return (assessment, control). The control is mapped to the requirement, without evidence."""
    with acting("compliance_officer"):
        framework = frameworks.framework(KEY)
        assessment = assessment_actions.start_assessment(framework.id, title="Q4 2026", **PERIOD)
        control = controls.create(
            "SEC-04",
            ControlContent(
                title="Third-party penetration test",
                does="Someone else tries to break in.",
                kind="detective",
                automation="manual",
                cadence="quarterly",
            ),
            owner_id=make.person_id("contributor"),
        )
        mapping_actions.map_to(control, frameworks.requirement(KEY, "MEASURE-2.7").id, "full")
        return assessment.id, control.id


def upload(control, content=evidence_helpers.PDF, title="Penetration test report"):
    evidence = evidence_helpers.create_evidence(title, supports=[control])
    version = evidence_helpers.upload_version(evidence, content)
    evidence_helpers.accept_version(version)


def run_test(acting, control):
    with acting("reviewer"):
        found = session().get_one(Control, (current.actor().tenant_id, control))
        control_tests.record_test(found, tested_on=clock.today(), sample=5, failed=0)


def sign(officer, reviewer, item, revision=1):
    conclude(officer, item, revision=revision - 1)
    reviewer.post(f"assessments/items/{item}/signature", revision=revision)


def report(visitor, acting, path="reports/", **form):
    """Return (PDF, signature, keys, frozen facts) of a report over the log so far."""
    show_names(True)  # There is one file then; files without names: tests/test_auditor_files.py.
    sequence(acting)
    page = visitor.post(path, **form).location
    jobs.drain(actor_of)
    content = visitor.post(f"{page}/pdf", then=200).data
    note = visitor.post(f"{page}/signature", then=200).text
    with pikepdf.open(io.BytesIO(content)) as file:
        frozen = json.loads(file.attachments["snapshot.json"].get_file().read_bytes())
    return content, note, visitor.get("/keys").text, frozen


def sequence(acting):
    with acting("compliance_officer"):
        sequencer.sequence()


def sentence(verdict, name):
    return next(each.sentence for each in verdict.checks if each.name == name)


def test_a_requirement_is_proven_in_order_by_entries_of_the_log(
    assessed, as_officer, as_reviewer, acting
):
    assessment, control = assessed
    upload(control)
    run_test(acting, control)
    sign(as_officer, as_reviewer, item_of(acting, assessment, REF))
    content, note, keys, frozen = report(as_officer, acting, assessment_id=str(assessment))
    [chain] = frozen["order"]["chains"]
    assert (chain["subject"], chain["exceptions"], chain["missing"]) == (REF, [], [])
    assert [step["step"] for step in chain["steps"]] == [
        "uploaded",
        "accepted",
        "tested",
        "concluded",
        "signed off",
    ]
    places = [step["place"] for step in chain["steps"]]
    assert all(a < b for a, b in pairwise(places)) and places[-1] < frozen["order"]["size"]
    verdict = verify(content, note, keys)
    assert verdict.ok, verdict.checks
    assert sentence(verdict, "order") == (
        "The 5 steps of 1 chain are entries of the log in the order printed, with 0 exceptions."
    )
    html = kinds.build(frozen).html
    assert "Order of proof" in html and 'href="#order"' in html
    assert "every step is in the log, in order and by the right people" in html
    [row] = order_section(frozen).rows
    assert (row.people, row.exceptions) == (3, "")


def test_what_came_too_late_or_from_one_hand_comes_first(assessed, as_officer, as_reviewer, acting):
    assessment, control = assessed
    upload(control)
    sign(as_officer, as_reviewer, item_of(acting, assessment, REF))
    run_test(acting, control)
    upload(control, evidence_helpers.PDF + b"later", "Retest report")
    sequence(acting)
    frozen = frozen_facts(as_officer, acting, assessment_id=str(assessment))
    [chain] = frozen["order"]["chains"]
    assert sorted(chain["exceptions"]) == [
        "EV-0002 was accepted after the conclusion",
        "SEC-04 was tested after the conclusion",
    ]
    found = check.check(frozen)
    assert found.ok and found.sentence.endswith("with 2 exceptions.")
    section = order_section(frozen)
    assert section.title.startswith("One requirement of 1 has an exception")
    assert "EV-0002 was accepted after the conclusion" in kinds.build(frozen).html


def test_without_a_checkpoint_there_is_no_order_proof(assessed, as_officer, as_reviewer, acting):
    assessment, control = assessed
    upload(control)
    sign(as_officer, as_reviewer, item_of(acting, assessment, REF))
    frozen = frozen_facts(as_officer, acting, assessment_id=str(assessment))
    assert "order" not in frozen and check.check(frozen) is None


def test_a_sign_off_after_the_checkpoint_is_named_as_not_covered(
    assessed, as_officer, as_reviewer, acting
):
    assessment, control = assessed
    upload(control)
    sequence(acting)
    sign(as_officer, as_reviewer, item_of(acting, assessment, REF))
    frozen = frozen_facts(as_officer, acting, assessment_id=str(assessment))
    [chain] = frozen["order"]["chains"]
    assert chain["exceptions"] == [
        "The conclusion isn't covered by the checkpoint",
        "The sign-off isn't covered by the checkpoint",
    ]
    assert check.check(frozen).ok


def test_what_the_checkpoint_covers_nothing_of_is_an_exception_and_no_fault(
    assessed, as_officer, as_reviewer, acting
):
    """Report exceptions, not faults, for entries that the checkpoint doesn't cover.

    One requirement was signed off before the checkpoint; another was concluded after it.
    """
    assessment, control = assessed
    upload(control)
    sign(as_officer, as_reviewer, item_of(acting, assessment, REF))
    sequence(acting)
    conclude(as_officer, item_of(acting, assessment, "MEASURE 2.12"), level=0)
    frozen = frozen_facts(as_officer, acting, assessment_id=str(assessment))
    [late] = [each for each in frozen["order"]["chains"] if not each["steps"]]
    assert (late["subject"], late["exceptions"]) == (
        "MEASURE 2.12",
        ["The conclusion isn't covered by the checkpoint"],
    )
    assert check.check(frozen).ok
    assert order_section(frozen).rows[0].subject == "MEASURE 2.12"


def tampered(frozen: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Yield the ways in which a signer of reports could lie about the order."""

    def changed(change) -> dict[str, Any]:
        made = copy.deepcopy(frozen)
        change(made["order"], made["order"]["chains"][0])
        return made

    def another_place(order, chain):
        step = chain["steps"][-1]
        body, path = (order[name].pop(str(step["place"])) for name in ("entries", "paths"))
        step["place"] += 1
        order["entries"][str(step["place"])], order["paths"][str(step["place"])] = body, path

    def another_person(order, chain):
        place = str(chain["steps"][-1]["place"])
        entry = json.loads(order["entries"][place])
        order["entries"][place] = json.dumps(entry | {"actor": "0" * 32})

    def swap(order, chain):
        first, second = chain["steps"][0], chain["steps"][1]
        first["place"], second["place"] = second["place"], first["place"]

    def facts_moved(_order, _chain):
        pass

    made = {
        "another place": changed(another_place),
        "another person": changed(another_person),
        "swapped": changed(swap),
        "left out": changed(lambda order, chain: chain["steps"].pop()),
        "hidden exception": changed(lambda order, chain: chain["exceptions"].append("none")),
        "no chains": changed(lambda order, chain: order["chains"].clear()),
        "another checkpoint": changed(lambda order, chain: order.update(size=order["size"] - 1)),
        "nonsense": changed(lambda order, chain: order.update(entries=[])),
    }
    moved = changed(facts_moved)
    for function in moved["functions"]:
        for category in function["categories"]:
            for row in category["requirements"]:
                if row["sign_off"]:
                    row["sign_off"]["at"] = "2026-01-01T00:00:00Z"
    return made | {"another day in the report": moved}


def test_a_changed_order_is_refused(assessed, as_officer, as_reviewer, acting):
    assessment, control = assessed
    upload(control)
    sign(as_officer, as_reviewer, item_of(acting, assessment, REF))
    sequence(acting)
    frozen = frozen_facts(as_officer, acting, assessment_id=str(assessment))
    assert check.check(frozen).ok
    for name, made in tampered(frozen).items():
        found = check.check(made)
        assert found is not None and found.ok is False, name
        assert found.sentence.startswith("The order proof doesn't hold. "), name


def test_one_person_in_two_roles_is_an_exception() -> None:
    steps = [
        {"step": name, "ref": ref, "place": place}
        for name, ref, place in (
            ("uploaded", "EV-0001", 3),
            ("accepted", "EV-0001", 4),
            ("concluded", REF, 5),
            ("signed off", REF, 6),
        )
    ]
    chain: Any = {"kind": "requirement", "subject": REF, "steps": steps, "missing": []}
    one = {place: {"actor": "a", "actor_kind": "person"} for place in range(3, 7)}
    assert chains.judge(chain, one) == [
        "One person concluded and signed off",
        "One person uploaded and accepted EV-0001",
    ]
    machine = one | {3: {"actor": "a", "actor_kind": "api_key"}, 6: one[6] | {"actor": "b"}}
    assert chains.judge(chain, machine) == []


def test_a_looser_policy_is_requested_by_one_person_and_approved_by_another(
    database, as_officer, acting
):
    first = put_in_force(with_value(Content(), None, "retention_days", 30))
    second = put_in_force(with_value(Content(), None, "retention_days", 60))
    today = clock.today().isoformat()
    sequence(acting)
    frozen = frozen_facts(
        as_officer, acting, "reports/attestations", span="period", since=today, until=today
    )
    subjects = {chain["subject"]: chain for chain in frozen["order"]["chains"]}
    assert list(subjects) == [f"Version {first}", f"Version {second}"]
    steps = {step["step"]: step["place"] for step in subjects[f"Version {second}"]["steps"]}
    assert steps["requested"] < steps["approved"] < steps["published"]
    assert all(chain["exceptions"] == [] for chain in subjects.values())
    assert check.check(frozen).ok


def test_a_sample_is_drawn_from_a_frozen_population_and_tested_after(as_officer, acting):
    type2_helpers.create_failed_sample()
    today = clock.today()
    sequence(acting)
    frozen = frozen_facts(
        as_officer,
        acting,
        "reports/matrices",
        begins=today.replace(month=1).isoformat(),
        ends=today.isoformat(),
    )
    [chain] = frozen["order"]["chains"]
    assert [step["step"] for step in chain["steps"]][:3] == ["frozen", "drawn", "first item"]
    assert chain["exceptions"] == []
    assert check.check(frozen).ok
