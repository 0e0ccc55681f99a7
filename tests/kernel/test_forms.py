"""Forms: a failed rule or constraint is shown next to its field, and nothing is stored."""

from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from wtforms import IntegerField, SelectField, StringField
from wtforms.validators import InputRequired

from governance.kernel.data.db import session
from governance.kernel.errors import DomainError, Forbidden, Invalid
from governance.kernel.web import forms
from governance.kernel.web.forms import Choice, Choices, Form, accepted
from governance.kernel.work.jobs import JobRun

ASKED: list[int] = []
SOMEBODY = uuid4()


def people():
    ASKED.append(1)
    return [("", "No owner"), (SOMEBODY, "Ines Duarte")]


class ControlForm(Form):
    ref = StringField("Reference", [InputRequired("Name it.")], description="Short and unique.")
    count = IntegerField("Count", default=1)
    kind = SelectField("Kind", choices=[("a", "A"), ("b", "B")], default="a")
    owner = Choice("Owner", choices=people)
    helpers = Choices("Helpers", choices=people)


@pytest.fixture
def sent(app):
    def send(**data):
        return app.test_request_context("/", method="POST", data={"kind": "a", "owner": "", **data})

    return send


def test_a_form_shows_pairs_as_choices_and_asks_each_time():
    for _ in range(2):
        with Flask(__name__).test_request_context("/"):
            form = ControlForm()
            assert [label for _, label in form.kind.choices] == ["A", "B"]
            assert (
                "Ines Duarte" in form.owner()
                and "Ines Duarte" in form.helpers()
                and 'value="b"' in form.kind()
            )
    assert len(ASKED) >= 2


def test_an_unknown_choice_is_refused_and_a_known_one_is_an_id(sent):
    with sent(ref="AC-1", owner=str(uuid4())):
        form = ControlForm()
        assert not form.validate() and form.problems[0][0] == "owner"
    with sent(ref="AC-1", owner=str(SOMEBODY), helpers=[str(SOMEBODY)]):
        form = ControlForm()
        assert form.validate() and form.owner.data == SOMEBODY and form.helpers.data == [SOMEBODY]
    with sent(ref="AC-1"):
        form = ControlForm()
        assert form.validate() and form.owner.data is None


def test_a_wrong_form_does_not_act(sent, acting):
    with acting("admin"), sent(ref=""):
        form = ControlForm()
        assert not accepted(form, lambda: pytest.fail("acted"))
        assert form.problems == [("ref", "Name it.")]


@pytest.mark.parametrize(
    ("error", "place"),
    [
        (Invalid("No.", field="ref"), "ref"),
        (DomainError("No."), None),
        (Invalid("No.", field="gone"), None),
    ],
)
def test_a_refusal_stands_beside_its_field_and_leaves_nothing(sent, acting, error, place):
    def act():
        session().add(JobRun(job="form test", scope="acme", period="1"))
        session().flush()
        raise error

    with acting("admin"), sent(ref="AC-1"):
        form = ControlForm()
        assert not accepted(form, act)
        assert form.problems == [(place, "No.")]
        assert session().scalars(select(JobRun).where(JobRun.job == "form test")).all() == []


def test_what_a_person_may_not_do_is_no_mistake_in_a_form(sent, acting):
    def act():
        raise Forbidden("Not yours.")

    with acting("admin"), sent(ref="AC-1"), pytest.raises(Forbidden):
        accepted(ControlForm(), act)


def twice():
    for _ in range(2):
        session().add(JobRun(job="form test", scope="acme", period="1"))
        session().flush()


def test_a_violated_constraint_is_said_in_the_users_words(sent, acting):
    forms.constraint("uq_job_runs_job_scope_period", "That reference is taken.", field="ref")
    try:
        with acting("admin"), sent(ref="AC-1"):
            form = ControlForm()
            assert not accepted(form, twice)
            assert form.problems == [("ref", "That reference is taken.")]
            assert session().scalar(text("SELECT 1")) == 1
    finally:
        del forms.CONSTRAINTS["uq_job_runs_job_scope_period"]


def test_a_constraint_that_nobody_worded_is_a_fault_of_ours(sent, acting):
    with acting("admin"), sent(ref="AC-1"), pytest.raises(IntegrityError):
        accepted(ControlForm(), twice)


def test_a_number_beyond_the_column_is_said(sent, acting):
    with acting("admin"), sent(ref="AC-1", count="99999999999"):
        form = ControlForm()
        assert not accepted(
            form, lambda: session().scalar(text("SELECT :n ::int"), {"n": str(form.count.data)})
        )
        assert "too large" in form.problems[0][1]


def test_what_was_typed_stays_and_is_tied_to_its_error(sent):
    with sent(ref="", count="many"):
        form = ControlForm()
        form.validate()
        assert form.count.raw_data == ["many"] and 'value="many"' in form.count()
