"""Headers of every answer, and proofs that every unsafe request needs."""

import io
import json
import re
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import structlog

from governance.kernel import clock
from governance.kernel.web.responses import HEADERS, MAX_BODY_BYTES, network_of

ANSWERS = {
    "a page": ("GET", "systems/", 200),
    "another page": ("GET", "settings/members", 200),
    "a redirect": ("GET", "/", 302),
    "no page": ("GET", "nothing/here", 404),
    "no tenant": ("GET", "/t/nobody/", 404),
    "a wrong method": ("DELETE", "systems/", 405),
    "a wrong form": ("POST", "systems/new", 403),
    "json": ("GET", "/healthz", 200),
    "a file": ("GET", "/static/app.css", None),
    "nul": ("GET", "systems/?q=%00", 422),
    "metrics": ("GET", "/metrics", 200),
}


@pytest.mark.parametrize("what", ANSWERS)
def test_every_answer_carries_the_headers(as_admin, what):
    method, path, status = ANSWERS[what]
    reply = as_admin.client.open(as_admin.at(path), method=method)
    assert status is None or reply.status_code == status
    for name, value in HEADERS.items():
        assert reply.headers[name] == value
    policy = dict(
        part.strip().partition(" ")[::2]
        for part in reply.headers["Content-Security-Policy"].split(";")
    )
    assert (
        policy["default-src"]
        == policy["frame-ancestors"]
        == policy["base-uri"]
        == policy["object-src"]
        == "'none'"
    )
    assert policy["script-src"] == policy["style-src"] == "'self'" and "unsafe" not in str(policy)
    assert re.fullmatch(r"[0-9a-f]{16}", reply.headers["X-Request-Id"])
    if what != "a file":
        assert reply.headers["Cache-Control"] == "no-store" and "Cookie" in reply.headers["Vary"]
    assert "Server" not in reply.headers or "Werkzeug" not in reply.headers["Server"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("abcdef12-3456", True),
        ("x" * 65, False),
        ("short", False),
        ("evil\u00e9id-12345", False),
        ("a b c d e f g h", False),
    ],
)
def test_a_request_id_is_taken_over_when_it_looks_like_one(client, given, kept):
    reply = client.client.get("/healthz", headers={"X-Request-Id": given})
    assert (reply.headers["X-Request-Id"] == given) is kept


def test_a_refusal_names_the_request(as_admin):
    reply = as_admin.client.get(
        as_admin.at("nothing/here"),
        headers={"X-Request-Id": "support-call-17", "Accept": "application/json"},
    )
    assert (
        reply.mimetype == "application/problem+json"
        and reply.json["request_id"] == "support-call-17"
        and reply.json["status"] == 404
    )


SENT = {"lane": "standard", "key": "triage", "name": "Claims triage", "purpose": "Sort claims."}


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "http://["},
    ],
)
def test_a_form_of_another_site_is_refused(as_admin, headers):
    reply = as_admin.client.post(
        as_admin.at("systems/new"), data=SENT | {"csrf_token": as_admin.csrf()}, headers=headers
    )
    assert reply.status_code == 403 and "another site" in reply.text


@pytest.mark.parametrize("token", [None, "", "0" * 64, "wrong \u00e9", "\udcff"])
def test_a_form_without_the_sessions_token_is_refused(as_admin, as_viewer, token):
    data = (
        SENT if token is None else SENT | {"csrf_token": token.encode("utf-8", "surrogateescape")}
    )
    assert as_admin.client.post(as_admin.at("systems/new"), data=data).status_code == 403
    other = as_viewer.csrf()
    assert (
        as_admin.client.post(
            as_admin.at("systems/new"), data=SENT | {"csrf_token": other}
        ).status_code
        == 403
    )


def test_the_token_may_come_in_a_header(as_admin):
    reply = as_admin.client.post(
        as_admin.at("systems/new"), data={}, headers={"X-CSRF-Token": as_admin.csrf()}
    )
    assert reply.status_code == 422


def test_a_body_beyond_the_limit_is_refused_and_said(as_admin):
    huge = {
        "csrf_token": as_admin.csrf(),
        "file": (io.BytesIO(bytes(MAX_BODY_BYTES + 1)), "big.bin"),
    }
    reply = as_admin.client.post(
        as_admin.at("systems/new"), data=huge, content_type="multipart/form-data"
    )
    assert reply.status_code == 413 and "too large to upload here" in reply.text
    assert reply.headers["Content-Security-Policy"]


def test_too_many_fields_are_refused(as_admin):
    many = {f"f{n}": (io.BytesIO(b"x"), "x") for n in range(2100)}
    reply = as_admin.client.post(
        as_admin.at("systems/new"), data=many, content_type="multipart/form-data"
    )
    assert reply.status_code == 413


@pytest.mark.parametrize(
    "disposition", ["form-data", 'form-data; filename="a.txt"', "form-data; size=3"]
)
def test_a_multipart_field_without_a_name_is_refused(client, disposition):
    body = f"--x\r\nContent-Disposition: {disposition}\r\n\r\nabc\r\n--x--\r\n"
    reply = client.client.post("/login", data=body, content_type="multipart/form-data; boundary=x")
    assert reply.status_code == 400 and "has no name" in reply.text
    named = body.replace("form-data", 'form-data; name="email"', 1)
    assert (
        client.client.post(
            "/login", data=named, content_type="multipart/form-data; boundary=x"
        ).status_code
        != 400
    )


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_a_method_that_an_address_does_not_take_is_answered_with_those_it_takes(client, accept):
    reply = client.client.put("/login", headers={"Accept": accept})
    assert reply.status_code == 405 and {"GET", "POST"} <= set(reply.headers["Allow"].split(", "))


@pytest.mark.parametrize("field", ["name", "purpose", "unknown"])
def test_a_nul_is_refused_before_a_view_meets_it(as_admin, field):
    reply = as_admin.client.post(
        as_admin.at("systems/new"), data=SENT | {field: "a\0b", "csrf_token": as_admin.csrf()}
    )
    assert reply.status_code == 422 and "NUL" in reply.text
    assert as_admin.client.get("/t/acme/%00").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b"",
        b"\xff\xfe",
        b"[" * 5000,
        b'{"csp-report": {"blocked-uri": "inline"}}',
        b"x" * 10_000,
    ],
)
def test_a_browsers_report_is_counted_whatever_it_says(client, body):
    from governance.kernel.web.responses import csp_reports

    before = csp_reports._value.get()
    assert (
        client.client.post(
            "/csp-report", data=body, content_type="application/csp-report"
        ).status_code
        == 204
    )
    assert csp_reports._value.get() == before + 1


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2::7", "2001:db8:1::/48"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("fe80::1%eth0", "fe80::/48"),
        ("", ""),
        ("unix:", ""),
    ],
)
def test_addresses_are_kept_coarse(address, network):
    assert network_of(address) == network


def test_a_made_up_method_makes_no_new_series(client):
    for n in range(3):
        client.client.open("/healthz", method=f"MADEUP{n}")
    assert "MADEUP" not in client.client.get("/metrics").text


def test_problem_json_is_valid_for_every_refusal(as_admin):
    for path, status in (
        ("nothing", 404),
        ("systems/?after=zzz", 422),
        ("reports/00000000-0000-0000-0000-000000000000", 404),
    ):
        reply = as_admin.client.get(as_admin.at(path), headers={"Accept": "application/json"})
        assert reply.status_code == status
        assert {"type", "title", "status"} <= json.loads(reply.text).keys()


# ---- security.txt and the operator's log


def test_security_txt_names_the_contact_for_half_a_year(client, settings, app, monkeypatch):
    address = "/.well-known/security.txt"
    assert client.client.get(address).status_code == 404
    contact = "mailto:security@operator.example"
    monkeypatch.setitem(app.config, "SETTINGS", replace(settings, security_contact=contact))
    reply = client.client.get(address)
    assert reply.mimetype == "text/plain"
    fields = dict(line.split(": ", 1) for line in reply.text.splitlines())
    assert fields["Contact"] == contact
    assert fields["Canonical"] == f"{settings.public_url}{address}"
    left = datetime.fromisoformat(fields["Expires"]) - clock.now()
    assert timedelta(days=170) < left < timedelta(days=365)


def test_the_log_of_requests_names_routes_and_no_token(client, as_admin):
    """Keep tokens out of the log: an auditor's link signs in."""
    with structlog.testing.capture_logs() as logged:
        client.client.get("/auditor/acme/secret-of-a-link")
        client.client.get("/secret-beside-every-route")
        as_admin.client.get(as_admin.at("systems/?q=secret-search"))
    paths = [each["path"] for each in logged if each["event"] == "answered"]
    assert paths == ["/auditor/<slug>/<token>", "no route", "/t/acme/systems/"]
    assert "secret" not in str(logged)


@pytest.mark.parametrize("number", [str(2**31), "9" * 400])
@pytest.mark.parametrize(
    "path", ["policies/versions/{}", "policies/versions/1?against={}", "systems/?after={}"]
)
def test_a_number_beyond_the_database_is_no_page_and_no_fault(as_admin, path, number):
    assert as_admin.client.get(as_admin.at(path.format(number))).status_code < 500
