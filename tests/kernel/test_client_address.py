"""A client's address: a trusted proxy names it; the same header from others is ignored."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from governance.foundation.audit.models import AuditEntry
from governance.kernel.client_address import ForwardedAddress, correct_address, networks
from governance.kernel.data.db import session

TRUSTED = networks("10.0.0.0/8, 127.0.0.1, fd00::/8")


def corrected(address, forwarded=None):
    environ = {"REMOTE_ADDR": address}
    if forwarded is not None:
        environ["HTTP_X_FORWARDED_FOR"] = forwarded
    correct_address(environ, TRUSTED)
    once = environ["REMOTE_ADDR"]
    correct_address(environ, TRUSTED)
    assert environ["REMOTE_ADDR"] == once
    return once


@pytest.mark.parametrize(
    ("address", "forwarded", "sender"),
    [
        ("10.0.0.7", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.7", "203.0.113.9, 10.0.0.1", "203.0.113.9"),
        ("10.0.0.7", "1.1.1.1, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.7", "203.0.113.9:4711", "203.0.113.9"),
        ("fd00::1", "[2001:db8::5]:443", "2001:db8::5"),
        ("::ffff:10.0.0.7", "2001:db8::5", "2001:db8::5"),
        ("10.0.0.7", "10.0.0.2, 10.0.0.3", "10.0.0.2"),
        ("10.0.0.7", None, "10.0.0.7"),
        ("10.0.0.7", "unknown", "10.0.0.7"),
        ("10.0.0.7", "203.0.113.9, nonsense, 10.0.0.1", "10.0.0.1"),
        ("198.51.100.1", "203.0.113.9", "198.51.100.1"),
        ("127.0.0.2", "203.0.113.9", "127.0.0.2"),
        ("", "203.0.113.9", ""),
    ],
)
def test_the_last_address_that_no_proxy_of_ours_has_is_the_senders(address, forwarded, sender):
    assert corrected(address, forwarded) == sender


@given(st.text(max_size=80), st.sampled_from(["10.0.0.7", "198.51.100.1"]))
def test_no_header_breaks_it_and_none_moves_a_strangers_address(header, address):
    found = corrected(address, header)
    assert address in {found, "10.0.0.7"}


def test_without_the_setting_nobody_is_believed():
    environ = {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "203.0.113.9"}
    correct_address(environ, ())
    assert environ["REMOTE_ADDR"] == "127.0.0.1"


@pytest.mark.parametrize(
    ("connection", "network"), [("10.0.0.7", "203.0.113.0/24"), ("198.51.100.1", "198.51.100.0/24")]
)
def test_the_log_has_the_senders_network_and_not_a_forged_one(
    app, as_admin, acting, monkeypatch, connection, network
):
    monkeypatch.setattr(app, "wsgi_app", ForwardedAddress(app.wsgi_app, TRUSTED))
    reply = as_admin.client.post(
        as_admin.at("audit/exports"),
        data={"format": "csv", "csrf_token": as_admin.csrf()},
        headers={"X-Forwarded-For": "203.0.113.9"},
        environ_overrides={"REMOTE_ADDR": connection},
    )
    assert reply.status_code == 303, reply.text
    with acting("admin"):
        query = select(AuditEntry).where(AuditEntry.action == "audit.export.requested")
        assert json.loads(session().scalars(query).one().body)["origin"] == network
