"""Sentences of the timeline, which contain their fact and don't repeat it."""

from governance.assurance.incidents.timeline_words import sentence


def test_a_new_state_is_part_of_the_sentence():
    says = "moved an incident to its next state"
    found = sentence("incident.advanced", "Incident", says, {"state": "monitoring"})
    assert found == ("moved the incident to Monitoring", {"state"})


def test_a_decision_names_the_law():
    facts = {"applies": False, "law": "GDPR, Art. 33"}
    says = "decided whether a law applies to an incident"
    found = sentence("incident.classified", "Classification", says, facts)
    assert found == ("decided that GDPR, Art. 33 doesn't apply", {"applies", "law"})


def test_updates_and_steps_have_their_number():
    sent = sentence(
        "incident.update.sent", "CustomerUpdate", "sent a customer update", {"number": 2}
    )
    assert sent == ("sent customer update 2", {"number"})
    done = sentence("playbook.step.done", "PlaybookRun", "completed a playbook step", {"step": 3})
    assert done == ("completed step 3", {"step"})


def test_a_step_of_a_rollout_names_it_and_its_stage():
    facts = {"ref": "RO-1", "system": "claims-triage", "release": "2026.12.0", "stage": "5%"}
    says = "promoted a rollout to its next stage"
    told, taken = sentence("rollout.promoted", "Rollout", says, facts)
    assert told == "promoted RO-1 of claims-triage, release 2026.12.0, at 5%"
    assert taken == {"ref", "system", "release", "stage"}


def test_what_is_about_another_object_stays_as_the_log_says_it():
    says = "acknowledged an alert"
    assert sentence("alert.acknowledged", "Alert", says, {"ref": "ALR-1"}) == (says, set())
