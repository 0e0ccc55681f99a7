"""Pages of access reviews: decisions row by row or in bulk; revocations need a fresh sign-in."""

from datetime import timedelta

import pytest

from governance.assurance.access_reviews import queries
from governance.kernel import clock
from tests import make
from tests.assurance.access_reviews.review_helpers import (
    create_key,
    decide_all_but_own,
    review_item,
)
from tests.browser import Visitor
from tests.bulk_helpers import confirm_bulk, confirmation_fields, preview_bulk, preview_table


@pytest.fixture
def path(as_officer):
    """Return the address of a review that the officer started."""
    create_key()
    reply = as_officer.post(
        "settings/access-reviews/new",
        title="Q4 2026",
        due_on=str(clock.today() + timedelta(days=14)),
    )
    return reply.location


def select_item(path):
    from uuid import UUID

    return UUID(path.rsplit("/", 1)[1])


def test_before_the_first_review_the_page_says_what_it_is_for(as_admin):
    assert "No access reviews yet" in as_admin.get("settings/access-reviews/").text
    assert "Start a review of 6 members" in as_admin.get("settings/access-reviews/new").text
    assert (
        "Choose a due date."
        in as_admin.post("settings/access-reviews/new", then=422, title="Q4", due_on="").text
    )


def test_rows_are_decided_and_the_review_is_closed(as_officer, as_admin, path):
    text = as_officer.get(path).text
    assert (
        "0 of 7 items decided" in text
        and "Your own access: another person must decide" in text
        and "mirror" in text
    )
    form = {
        f"row-{review_item(select_item(path), who)}": "keep"
        for who in ("admin", "reviewer", "auditor", "mirror")
    }
    confirm_bulk(as_officer, f"{path}/decisions", **form)
    wrong = confirm_bulk(
        as_admin,
        f"{path}/decisions",
        then=422,
        **{f"row-{review_item(select_item(path), 'viewer')}": "revoke"},
    ).text
    assert "Enter a reason" in wrong
    confirm_bulk(
        as_admin,
        f"{path}/decisions",
        reason="On leave.",
        **{
            f"row-{review_item(select_item(path), 'viewer')}": "revoke",
            f"row-{review_item(select_item(path), 'contributor')}": "viewer",
        },
    )
    assert "1 of 7 items needs a decision" in as_officer.post(f"{path}/closing", then=422).text
    confirm_bulk(
        as_admin,
        f"{path}/decisions",
        **{f"row-{review_item(select_item(path), 'compliance_officer')}": "keep"},
    )
    text = as_officer.get(path).text
    assert "All 7 items decided" in text and "Downgraded to viewer" in text
    closed = as_officer.post(f"{path}/closing", follow=True).text
    assert (
        "5 kept, 1 downgraded, 1 revoked" in closed
        and "EV-0001" in closed
        and "Save these decisions" not in closed
    )
    assert "Closed" in as_officer.get("settings/access-reviews/").text
    content = as_officer.get(f"{path}/export.csv").data.decode("utf-8-sig")
    assert "Maya Okafor" in content and "On leave." in content


def test_several_are_decided_at_once_and_one_s_own_row_is_named_and_left_alone(
    as_officer, path, database
):
    ids = [
        str(review_item(select_item(path), who))
        for who in ("admin", "reviewer", "compliance_officer")
    ]
    shown = preview_bulk(as_officer, f"{path}/decisions", all="keep", ids=ids)
    assert [row[1] for row in preview_table(shown, "changes")] == ["Not decided becomes Keep"] * 2
    assert preview_table(shown, "blocked") == [
        [
            "Ines Duarte Compliance officer",
            "You can't review your own access. Another person must decide.",
        ]
    ]
    as_officer.post(f"{path}/decisions", **confirmation_fields(shown))
    with make.acting("admin"):
        assert queries.review_progress(queries.reviewed_access(select_item(path))).kept == 2
    assert "Choose a decision" in as_officer.post(f"{path}/decisions", then=422, all="keep").text
    assert "Nothing would change" in preview_bulk(
        as_officer, f"{path}/decisions", all="keep", ids=ids[:2]
    )


def test_revoking_lists_who_loses_what_and_pressed_twice_it_is_done_once(as_admin, path, database):
    rows = {
        f"row-{review_item(select_item(path), 'viewer')}": "revoke",
        f"row-{review_item(select_item(path), 'contributor')}": "viewer",
    }
    shown = preview_bulk(as_admin, f"{path}/decisions", **rows)
    assert sorted(row[1] for row in preview_table(shown, "changes")) == [
        "Not decided becomes Downgrade to viewer",
        "Not decided becomes Revoke",
    ]
    with make.acting("admin"):
        assert queries.review_progress(queries.reviewed_access(select_item(path))).decided == 0
    fields = confirmation_fields(shown) | {"reason": "On leave."}
    assert "2 decisions saved." in as_admin.post(f"{path}/decisions", follow=True, **fields).text
    assert "Nothing to change" in as_admin.post(f"{path}/decisions", follow=True, **fields).text
    with make.acting("admin"):
        assert queries.review_progress(queries.reviewed_access(select_item(path))).decided == 2


def test_a_role_that_is_not_lower_is_named_in_the_preview(as_admin, path):
    shown = preview_bulk(
        as_admin,
        f"{path}/decisions",
        **{f"row-{review_item(select_item(path), 'viewer')}": "admin"},
    )
    assert "Choose a lower role" in preview_table(shown, "blocked")[0][
        1
    ] and not confirmation_fields(shown)


def test_taking_away_needs_a_fresh_sign_in_and_keeping_does_not(app, path, database):
    stale = Visitor(app, make.cookie("admin", signed_in_ago=timedelta(minutes=10)), "acme")
    row = review_item(select_item(path), "viewer")
    confirm_bulk(stale, f"{path}/decisions", then=401, reason="Why not", **{f"row-{row}": "revoke"})
    confirm_bulk(stale, f"{path}/decisions", **{f"row-{row}": "keep"})


def test_what_is_confirmed_is_what_was_chosen_row_by_row(app, as_admin, path, database):
    """Reject a form that confirms other rows than it decides on, even after a fresh sign-in."""
    viewer, contributor = (review_item(select_item(path), who) for who in ("viewer", "contributor"))
    fields = confirmation_fields(
        preview_bulk(as_admin, f"{path}/decisions", **{f"row-{viewer}": "revoke"})
    ) | {"reason": "On leave."}
    for bent in (
        {f"row-{contributor}": "revoke"},
        {"seen": [*fields["seen"], f"{contributor}.0123456789abcdef"]},
        {f"row-{viewer}": "", f"row-{contributor}": "revoke"},
    ):
        reply = as_admin.post(f"{path}/decisions", then=422, **fields | bent)
        assert "differ from the ones you previewed" in reply.text
    with make.acting("admin"):
        assert queries.review_progress(queries.reviewed_access(select_item(path))).decided == 0
    as_admin.post(f"{path}/decisions", then=303, **fields)


@pytest.mark.parametrize("who", ["contributor", "viewer", "auditor"])
def test_others_do_not_review(app, path, database, who):
    visitor = Visitor(app, make.cookie(who), "acme")
    visitor.get("settings/access-reviews/", then=403)
    visitor.post(f"{path}/decisions", then=403)


def test_another_tenants_review_is_not_there(as_neighbour, path):
    as_neighbour.get(path.replace("/acme/", "/globex/"), then=404)
    as_neighbour.post(f"{path.replace('/acme/', '/globex/')}/closing", then=404)


def test_an_officer_keeps_access_and_is_offered_nothing_that_takes_it_away(
    app, as_officer, as_admin, path
):
    viewer = review_item(select_item(path), "viewer")
    assert ">Revoke</option>" in as_admin.get(path).text
    shown = as_officer.get(path).text
    assert ">Keep</option>" in shown and "Downgrade to" not in shown
    assert ">Revoke</option>" not in shown and "Revoke access…" not in shown
    for wanted in ("revoke", "viewer"):
        page = preview_bulk(as_officer, f"{path}/decisions", **{f"row-{viewer}": wanted})
        assert "ask a tenant admin to decide" in preview_table(page, "blocked")[0][1]
        assert not confirmation_fields(page)


def test_a_closed_review_takes_no_decision(as_officer, path, database):
    decide_all_but_own(select_item(path))
    confirm_bulk(
        as_officer,
        f"{path}/decisions",
        **{f"row-{review_item(select_item(path), 'mirror')}": "keep"},
    )
    as_officer.post(f"{path}/closing")
    shown = preview_bulk(
        as_officer,
        f"{path}/decisions",
        **{f"row-{review_item(select_item(path), 'viewer')}": "revoke"},
    )
    assert "was closed on" in preview_table(shown, "blocked")[0][1] and not confirmation_fields(
        shown
    )
