"""The order of all features' gates: by kind, by topic, then by feature."""

from governance.operations.gates.gates import every_gate


def test_gates_of_a_kind_stand_by_topic(app):
    assert [(each.kind, each.topic, each.key) for each in every_gate()] == [
        ("guardrail", "service", "objectives"),
        ("guardrail", "quality", "evaluations"),
        ("guardrail", "quality", "paired"),
        ("signal", "cost", "task_cost"),
        ("condition", "traffic", "answers"),
        ("condition", "data", "data_sets"),
        ("condition", "findings", "findings"),
        ("condition", "findings", "red_team_age"),
        ("condition", "policy", "policy_tier"),
    ]
