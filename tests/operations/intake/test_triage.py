"""Triage of answers into the EU AI Act's class with its provisions, the risk class, the tier."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.operations.intake import law, questions
from governance.operations.intake.questions import QUESTIONS, cleaned, unanswered
from governance.operations.intake.triage import EU_CLASSES, is_looser
from governance.operations.intake.triage import triage as triage_under
from governance.operations.policies.tiers import TIERS
from tests.operations.intake.intake_helpers import ANSWERS

PLAIN = {**ANSWERS, "area": "none", "data_used": ["none"], "decides": "no"}


def triage(answers, **changed):
    """Triage under the law as amended, on a day after every practice is prohibited."""
    return triage_under(answers, **({"act": law.current(), "on": date(2026, 12, 5)} | changed))


def sources(reasons):
    return [each.source for each in reasons]


def test_an_area_of_annex_iii_is_high_risk_and_names_the_area():
    found = triage(ANSWERS)
    assert (found.eu_class, found.risk_class, found.tier) == ("high_risk", "high_risk", "regulated")
    assert sources(found.eu_reasons) == ["Annex III(5)", "Article 6(3)"]
    assert "Article 27" in sources(found.legal_duties) and "Article 11" in sources(
        found.legal_duties
    )
    assert found.open == ()


@pytest.mark.parametrize("area", sorted(questions.ANNEX_III))
def test_each_area_is_named_by_its_number(area):
    assert triage({**ANSWERS, "area": area}).eu_reasons[0].source == f"Annex III({area})"


@pytest.mark.parametrize("task", ["procedure", "improves", "patterns", "prepares"])
def test_a_narrow_task_is_exempt_unless_it_profiles_people(task):
    exempt = triage({**ANSWERS, "task": task, "profiles": "no"})
    assert exempt.eu_class == "minimal"
    assert exempt.eu_reasons[0].source.startswith("Article 6(3) and (4)")
    assert triage({**ANSWERS, "task": task, "profiles": "yes"}).eu_class == "high_risk"


def test_an_exemption_counts_only_once_both_questions_about_it_are_answered():
    for missing in ("task", "profiles"):
        some = {**ANSWERS, "task": "procedure", "profiles": "no"}
        del some[missing]
        assert triage(some).eu_class == "high_risk"


@pytest.mark.parametrize(
    ("practice", "provision"),
    [(key, key) for key in ("a", "b", "ba", "bb", "c", "d", "e", "f", "g", "h")],
)
def test_a_practice_of_article_5_is_prohibited_whatever_else_is_answered(practice, provision):
    found = triage({**PLAIN, "practices": [practice]})
    assert found.eu_class == "prohibited" and found.tier == ""
    assert sources(found.eu_reasons) == [f"Article 5(1)({provision})"]
    assert sources(found.legal_duties) == ["Article 5"]


def test_a_safety_component_is_high_risk_by_article_6():
    assert sources(triage({**PLAIN, "safety": "yes"}).eu_reasons) == ["Article 6(1)"]


@pytest.mark.parametrize(
    ("contact", "provision"),
    [
        ("talks", "Article 50(1)"),
        ("creates", "Article 50(2)"),
        ("senses", "Article 50(3)"),
        ("deepfake", "Article 50(4)"),
    ],
)
def test_contact_with_people_asks_for_transparency(contact, provision):
    found = triage({**PLAIN, "contact": [contact]})
    assert found.eu_class == "transparency" and provision in sources(found.eu_reasons)
    also_high = triage({**ANSWERS, "contact": [contact]})
    assert also_high.eu_class == "high_risk" and provision in sources(also_high.legal_duties)


def test_outside_the_union_the_act_does_not_apply_but_the_own_class_does():
    found = triage({**ANSWERS, "regions": ["us"], "decides": "alone"})
    assert (found.eu_class, found.risk_class) == ("out_of_scope", "high_risk")
    assert triage({**ANSWERS, "regions": ["eu", "us"]}).eu_class == "high_risk"


def test_nothing_found_is_minimal_with_the_loosest_tier():
    found = triage(PLAIN)
    assert (found.eu_class, found.risk_class, found.tier) == ("minimal", "standard", "baseline")
    assert triage({**PLAIN, "data_used": ["personal"]}).tier == "standard"


@pytest.mark.parametrize(
    "changed",
    [
        {"decides": "alone"},
        {"autonomy": "alone"},
        {"decides": "informs", "data_used": ["special"]},
        {"decides": "informs", "data_used": ["children"]},
    ],
)
def test_the_risk_class_can_be_high_where_the_act_asks_for_nothing(changed):
    found = triage({**PLAIN, **changed})
    assert (found.eu_class, found.risk_class, found.tier) == ("minimal", "high_risk", "strict")
    assert all(each.text for each in found.risk_reasons)


def test_what_the_system_does_decides_which_requirements_need_a_control():
    plain, people = (
        {each.source for each in triage(answers).requirements} for answers in (PLAIN, ANSWERS)
    )
    assert {"GOVERN 1.6", "MAP 1.1", "MEASURE 2.5", "MANAGE 4.1"} <= plain
    assert {"MAP 5.1", "MEASURE 2.11", "MEASURE 2.10", "MEASURE 2.9"} <= people - plain
    acts = {each.source for each in triage({**PLAIN, "autonomy": "limits"}).requirements}
    assert {"MAP 3.5", "MANAGE 2.4"} <= acts - plain


def test_what_follows_is_of_the_classes_that_a_reviewer_set():
    found = triage(ANSWERS, eu_class="minimal", risk_class="standard")
    assert found.eu_class == "high_risk" and sources(found.eu_reasons)[0] == "Annex III(5)"
    assert found.tier == "standard" and "Article 11" not in sources(found.legal_duties)


def test_questions_about_an_area_are_asked_only_there():
    not_asked = {*questions.IN_AN_AREA, questions.SAFEGUARDS}
    assert unanswered({}) == [key for key in QUESTIONS if key not in not_asked]
    assert questions.SAFEGUARDS in unanswered({"contact": ["creates"]})
    assert unanswered({"area": "4"})[-3:] == ["practices", "contact", "service"]
    assert {"profiles", "task", "service"} <= set(unanswered({"area": "4"}))
    assert unanswered(PLAIN) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"area": "9"},
        {"regions": ["eu", "mars"]},
        {"practices": ["none", "a"]},
        {"data_used": ["none", "personal"]},
    ],
)
def test_an_answer_that_no_question_takes_is_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        cleaned(wrong)


def test_empty_answers_are_no_answers():
    assert cleaned({"area": "", "regions": [], "data_used": None, "unknown": "x"}) == {}


def _answers():
    one = {
        key: st.lists(st.sampled_from(sorted(each.choices)), unique=True)
        if each.several
        else st.sampled_from(["", *each.choices])
        for key, each in QUESTIONS.items()
    }
    return st.fixed_dictionaries({}, optional=one)


@given(_answers())
def test_every_set_of_answers_gets_a_class_with_reasons(given_answers):
    try:
        answers = cleaned(given_answers)
    except ValueError:
        return
    found = triage(answers)
    assert found.eu_class in EU_CLASSES and found.eu_reasons and found.risk_reasons
    assert found.tier in TIERS or found.eu_class == "prohibited"
    assert found.risk_class == "high_risk" or found.eu_class not in {"prohibited", "high_risk"}
    refs = [each.source for each in found.requirements]
    assert len(refs) == len(set(refs))


def test_classes_are_ordered_by_what_they_ask_for():
    assert is_looser("minimal", "high_risk") and not is_looser("prohibited", "high_risk")
    assert not is_looser("high_risk", "high_risk")
