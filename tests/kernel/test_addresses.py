"""Cached addresses, which equal those that Flask builds."""

from uuid import UUID

import pytest
from flask import Flask, url_for

from governance.kernel import current
from tests import make

ID = UUID("11111111-1111-7111-8111-111111111111")


@pytest.mark.parametrize(
    ("endpoint", "values"),
    [
        ("evidence.index", {}),
        ("evidence.index", {"q": "a b&c", "page": 2}),
        ("evidence.index", {"flag": True}),
        ("evidence.index", {"flag": 1}),
        ("evidence.index", {"tags": ["a", "b"]}),
        ("evidence.index", {"nothing": None}),
        ("controls.index", {"q": "SEC-04"}),
        ("sessions.end_session", {"session_id": ID}),
        ("sessions.end_session", {"session_id": ID, "_anchor": "top"}),
        ("evidence.index", {"_external": True}),
    ],
)
def test_they_are_the_same_the_first_time_and_every_time(app, endpoint, values):
    with (
        app.test_request_context("/t/acme/evidence/"),
        current.acting_as(make.system_actor("acme")),
    ):
        by_flask = Flask.url_for(app, endpoint, **values)
        assert [url_for(endpoint, **values) for _ in range(2)] == [by_flask] * 2


def test_they_stay_in_the_readers_tenant(app):
    with app.test_request_context("/"):
        for slug in ("acme", "globex", "acme"):
            with current.acting_as(make.system_actor(slug)):
                assert url_for("evidence.index") == f"/t/{slug}/evidence/"


def test_a_relative_endpoint_belongs_to_the_feature_that_asks(app):
    with current.acting_as(make.system_actor("acme")):
        for path in ("/t/acme/evidence/", "/t/acme/controls/"):
            with app.test_request_context(path):
                assert url_for(".index") == path


def test_an_application_below_a_prefix_keeps_it(app):
    with current.acting_as(make.system_actor("acme")):
        for root in ("", "/console"):
            with app.test_request_context(
                "/t/acme/evidence/", environ_overrides={"SCRIPT_NAME": root}
            ):
                assert url_for("evidence.index") == f"{root}/t/acme/evidence/"
