"""The suite of scim2-tester, which checks the running app against RFC 7643 and 7644."""

from collections import Counter

from scim2_client.engines.wsgi import WSGISCIMClient
from scim2_tester import Status, check_server

from tests.foundation.scim.directory import Directory

# COMPLIANT and ACCEPTABLE: the RFC allows several choices, and ours is one of them.
GOOD = {Status.SUCCESS, Status.COMPLIANT, Status.ACCEPTABLE, Status.SKIPPED}
MIN_CHECKS = 60


def test_every_check_of_scim2_tester_passes(app, directory: Directory):
    client = WSGISCIMClient(
        app.wsgi_app,
        base_url="http://localhost/scim/v2",
        headers={"Authorization": f"Bearer {directory.machine.key}"},
    )
    client.discover()
    results = check_server(client)
    assert [f"{r.title}: {r.reason}" for r in results if r.status not in GOOD] == []
    assert Counter(r.status for r in results)[Status.SUCCESS] >= MIN_CHECKS
