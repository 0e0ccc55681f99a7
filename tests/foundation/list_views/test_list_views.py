"""Saved views of a list: named by a person, and private until they share them."""

from uuid import UUID

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import event, select

from governance.foundation.audit.models import AuditEntry
from governance.foundation.list_views import actions, queries
from governance.foundation.list_views.models import ListDefault, ListView
from governance.foundation.privacy.events import PersonErased
from governance.kernel.data.db import session
from governance.kernel.work.events import publish
from tests import make
from tests.assurance.evidence.evidence_helpers import create_control

VIEWS = "lists/controls/views"
OF_REQUIREMENTS = "lists/requirements/nist-ai-rmf-1.0/views"
MENU = {"HX-Request": "true", "HX-Target": "div#menu"}


def names(reply) -> list[str]:
    return [
        row.select_one("a.c-strong").get_text()
        for row in BeautifulSoup(reply.text, "html.parser").select("tbody tr")
    ]


def view_id(acting, name: str):
    with acting("admin"):
        return session().scalars(select(ListView.id).where(ListView.name == name)).one()


def test_a_view_keeps_filters_search_sort_and_columns(as_officer, acting):
    as_officer.post(
        f"{VIEWS}?status=failing&q=pen&sort=-owner&columns=kind,owner&after=SEC-1&other=1",
        name="  My   failing ",
    )
    page = as_officer.get(VIEWS)
    assert names(page) == ["My failing"]
    href = BeautifulSoup(page.text, "html.parser").select_one("tbody a.c-strong")["href"]
    assert href.endswith("/controls/?q=pen&status=failing&sort=-owner&columns=kind%2Cowner")
    as_officer.get(href)
    with acting("admin"):
        entry = (
            session()
            .scalars(select(AuditEntry).where(AuditEntry.action == "list_view.saved"))
            .one()
        )
        assert entry.facts == {"location": "controls"} and "name" in entry.sealed


def test_the_menu_is_a_fragment_read_when_it_is_opened(as_officer, statements):
    as_officer.post(f"{OF_REQUIREMENTS}?level=0", name="Open")
    with statements() as seen:
        page = as_officer.get("frameworks/nist-ai-rmf-1.0/requirements")
    assert [s for s in seen if "list_views" in s] == []
    menu = BeautifulSoup(page.text, "html.parser").select_one("details[data-load]")
    assert (
        menu["data-load"].endswith(f"/{OF_REQUIREMENTS}")
        and menu.select_one("a")["href"] == menu["data-load"]
    )
    with statements() as seen:
        fragment = as_officer.get(menu["data-load"], headers=MENU).text
    assert "<html" not in fragment and ">Open<" in fragment
    assert len([s for s in seen if "FROM list_views" in s]) == 1


def test_the_view_that_is_shown_is_marked_and_more_can_be_saved(as_officer):
    as_officer.post(f"{VIEWS}?status=failing", name="Failing")
    same = BeautifulSoup(
        as_officer.get(f"{VIEWS}?status=failing", headers=MENU).text, "html.parser"
    )
    assert same.select_one("a[aria-current]").get_text() == "Failing"
    assert same.select_one("form")["action"].endswith("?status=failing")
    plain = BeautifulSoup(as_officer.get(VIEWS, headers=MENU).text, "html.parser")
    assert plain.select_one("a[aria-current]") is None and plain.select_one("form") is None


def test_saved_twice_it_is_one_and_a_name_means_one_view(as_officer):
    for _ in range(2):
        as_officer.post(f"{VIEWS}?status=failing", name="Mine")
    assert (
        "You have a view called “Mine”"
        in as_officer.post(f"{VIEWS}?status=due", name="Mine", then=422).text
    )
    as_officer.post("lists/evidence/views?state=fresh", name="Mine")
    assert names(as_officer.get(VIEWS)) == ["Mine"]


@pytest.mark.parametrize(
    ("path", "name", "says"),
    [
        (f"{VIEWS}?status=failing", " ", "Give the view a name"),
        (f"{VIEWS}?status=failing", "x" * 61, "at most 60"),
        (VIEWS, "Empty", "nothing to save"),
        (f"{VIEWS}?after=SEC-1", "Empty", "nothing to save"),
    ],
)
def test_a_view_without_a_name_or_a_query_is_refused(as_officer, path, name, says):
    assert says in as_officer.post(path, name=name, then=422).text
    assert names(as_officer.get(VIEWS)) == []


def test_there_are_twenty_at_most(as_officer, acting):
    with acting("compliance_officer"):
        for n in range(queries.MAX_VIEWS):
            actions.save_view("controls", f"View {n:02}", f"q={n}")
    assert "the most there can be" in as_officer.post(f"{VIEWS}?q=more", name="More", then=422).text
    as_officer.post("lists/systems/views?q=more", name="Another list has its own")
    assert len(names(as_officer.get(VIEWS))) == queries.MAX_VIEWS


def test_renaming_and_deleting(as_officer, acting):
    for name in ("First", "Second"):
        as_officer.post(f"{VIEWS}?q={name}", name=name)
    first = view_id(acting, "First")
    assert (
        "You have a view called “Second”"
        in as_officer.post(f"list-views/{first}/rename", name="Second", then=422).text
    )
    as_officer.post(f"list-views/{first}/rename", name="Third")
    assert names(as_officer.get(VIEWS)) == ["Second", "Third"]
    as_officer.post(f"list-views/{first}/delete")
    as_officer.post(f"list-views/{first}/delete", then=404)
    assert names(as_officer.get(VIEWS)) == ["Second"]


def test_nobody_else_sees_or_changes_it(as_officer, as_admin, as_neighbour, acting):
    as_officer.post(f"{VIEWS}?status=failing", name="Mine alone")
    mine = view_id(acting, "Mine alone")
    for other in (as_admin, as_neighbour):
        assert names(other.get(VIEWS)) == []
        assert "Mine alone" not in other.get(VIEWS, headers=MENU).text
        other.post(f"list-views/{mine}/rename", name="Taken", then=404)
        other.post(f"list-views/{mine}/delete", then=404)
    assert names(as_officer.get(VIEWS)) == ["Mine alone"]


@pytest.mark.parametrize(
    "path",
    [
        "nothing",
        "controls/more",
        "requirements",
        "requests/not-an-id/more",
        "requirements/a/b",
        "requirements/made-up",
        "requests/not-an-id",
        f"requests/{UUID(int=7)}",
    ],
)
def test_only_lists_have_views(as_officer, path):
    assert "doesn&#39;t exist" in as_officer.get(f"lists/{path}/views", then=404).text
    as_officer.post(f"lists/{path}/views?q=x", name="X", then=404)


def test_a_view_needs_the_permission_of_its_list(as_viewer, as_officer):
    as_officer.get("lists/log/views?action=-session")
    as_viewer.get("lists/log/views?action=-session", then=403)
    as_viewer.post("lists/log/views?action=-session", name="X", then=403)
    as_viewer.post(f"{VIEWS}?status=failing", name="A viewer's own")


def test_what_the_list_refuses_is_not_saved(as_officer):
    as_officer.post(f"{VIEWS}?sort=password", name="X", then=422)
    as_officer.post("lists/matrix/views?months=7", name="X", then=422)
    as_officer.get(
        "lists/matrix/views?framework=soc2-tsc-2017"
    )  # The matrix itself checks which frameworks exist.
    as_officer.post("lists/systems/views?lane=nonsense", name="X", then=422)


def test_the_saved_views_of_all_lists_have_a_bound(as_officer, monkeypatch):
    monkeypatch.setattr(actions, "MAX_VIEWS_OF_ALL_LISTS", 2)
    for place in ("nist-ai-rmf-1.0", "soc2-tsc-2017"):
        as_officer.post(f"lists/requirements/{place}/views?level=0", name="Open")
    refused = as_officer.post(f"{VIEWS}?q=x", name="Open", then=422)
    assert "You have 2 saved views, the most there can be" in refused.text


def test_a_list_of_one_place_has_views_of_its_own(as_officer):
    as_officer.post("lists/requirements/nist-ai-rmf-1.0/views?level=0", name="Open")
    assert names(as_officer.get("lists/requirements/nist-ai-rmf-1.0/views")) == ["Open"]
    assert names(as_officer.get("lists/requirements/soc2-tsc-2017/views")) == []


def test_an_erased_person_leaves_no_view(as_officer, acting):
    as_officer.post(f"{VIEWS}?status=failing", name="Mine")
    with acting("admin"):
        for role, removed in (("viewer", 0), ("compliance_officer", 1)):
            erased = PersonErased(make.person_id(role), ("Someone Else",), ())
            publish(erased)
            assert erased.removed["saved views"] == removed
    assert names(as_officer.get(VIEWS)) == []


def test_an_erasure_removes_the_views_that_search_for_the_person(as_officer, acting):
    """Find them although queries are percent-encoded, so the sweep of all text misses the name."""
    as_officer.post(f"{VIEWS}?q=zoë okafor", name="Theirs")
    as_officer.post(f"{VIEWS}?q=zoe%40acme.example", name="Their address")
    as_officer.post(f"{VIEWS}?q=anzoë okafor", name="Another person's")
    with acting("admin"):
        erased = PersonErased(
            make.person_id("viewer"), ("Zoë Okafor", "zoe@acme.example"), ("zoe@acme.example",)
        )
        publish(erased)
        assert erased.removed["saved views"] == 2
    assert names(as_officer.get(VIEWS)) == ["Another person's"]


def heads(page) -> list[str]:
    soup = BeautifulSoup(page.text, "html.parser")
    return [" ".join(each.get_text(" ").split()) for each in soup.select("thead th")]


@pytest.fixture
def control(app, database):
    return create_control()


def test_columns_are_remembered_for_a_person_and_a_list(as_officer, as_admin, control, acting):
    usual = heads(as_officer.get("controls/"))
    reply = as_officer.post(
        "lists/controls/columns?status=missing", columns=["none", "owner", "nonsense"]
    )
    assert reply.headers["Location"].endswith("/controls/?status=missing&columns=owner")
    chosen = heads(as_officer.get("controls/"))
    assert "Owner" in chosen and "Kind" in usual and "Kind" not in chosen
    assert heads(as_admin.get("controls/")) == usual
    assert "Kind" in heads(as_officer.get("controls/?columns=kind"))
    assert "Kind" not in heads(as_officer.get("controls/"))
    with acting("admin"):
        query = select(AuditEntry).where(AuditEntry.action == "list_view.columns_chosen")
        assert session().scalars(query).one().facts == {"location": "controls", "columns": "owner"}
    as_officer.post("lists/controls/columns", columns=["none", "owner"], usual="1")
    assert heads(as_officer.get("controls/")) == usual
    with acting("admin"):
        assert session().scalars(select(ListDefault)).all() == []


def test_columns_need_the_permission_of_their_list(as_viewer, as_neighbour):
    as_viewer.post("lists/log/columns", columns=["none"], then=403)
    as_viewer.post("lists/nothing/columns", columns=["none"], then=404)
    as_viewer.post("lists/controls/columns", columns=["none"])


def test_a_shared_view_is_everyones_and_changed_by_its_author_or_an_admin(
    as_officer, as_contributor, as_admin, as_viewer, as_auditor, as_neighbour, acting
):
    as_officer.post(f"{VIEWS}?status=failing", name="Failing", shared="y")
    shared = view_id(acting, "Failing")
    for other in (as_contributor, as_viewer, as_admin):
        page = other.get(VIEWS)
        assert names(page) == ["Failing"] and "shared by" in page.text
    for outside in (as_auditor, as_neighbour):
        assert names(outside.get(VIEWS)) == []
        outside.post("lists/controls/default", view=str(shared), then=404)
    as_contributor.post(f"list-views/{shared}/rename", name="Mine", then=404)
    for verb in ("unshare", "delete"):
        as_contributor.post(f"list-views/{shared}/{verb}", then=403)
    as_contributor.post(f"list-views/{shared}/share", then=404)
    as_admin.post(f"list-views/{shared}/unshare")
    assert names(as_contributor.get(VIEWS)) == [] and names(as_officer.get(VIEWS)) == ["Failing"]
    as_officer.post(f"list-views/{shared}/share")
    as_admin.post(f"list-views/{shared}/delete")
    assert names(as_officer.get(VIEWS)) == []


def test_a_viewer_keeps_their_views_to_themselves(as_viewer, acting):
    as_viewer.post(f"{VIEWS}?status=failing", name="Mine", shared="y", then=403)
    as_viewer.post(f"{VIEWS}?status=failing", name="Mine")
    mine = view_id(acting, "Mine")
    as_viewer.post(f"list-views/{mine}/share", then=403)
    assert "Share" not in as_viewer.get(VIEWS).text.split("<main")[1].split("Rename")[1]


def test_a_list_opens_with_the_default_view_of_its_reader(as_officer, as_admin, control, acting):
    as_officer.post(f"{VIEWS}?status=failing&columns=owner", name="Failing", shared="y")
    as_officer.post("lists/controls/default", view=str(view_id(acting, "Failing")))
    page = as_officer.get("controls/").text
    assert "No controls match" in page and "View: <b>Failing</b>" in page
    assert "SEC-04" in as_admin.get("controls/").text
    assert "Your default" in as_officer.get(VIEWS).text
    whole = BeautifulSoup(page, "html.parser").select_one(
        "a[aria-label='Show the list without your default view']"
    )["href"]
    assert "SEC-04" in as_officer.get(whole).text
    clear = BeautifulSoup(page, "html.parser").select_one("main a.btn[href*='controls/?']")
    assert "SEC-04" in as_officer.get(clear["href"]).text
    assert "SEC-04" in as_officer.get("controls/?q=&status=").text
    assert "SEC-04" in as_officer.get("controls/export.csv").text
    as_officer.post("lists/controls/default", view="")
    assert "SEC-04" in as_officer.get("controls/").text


def test_the_last_filter_removed_shows_the_whole_list(as_officer, control, acting):
    as_officer.post(f"{VIEWS}?status=failing", name="Failing")
    as_officer.post("lists/controls/default", view=str(view_id(acting, "Failing")))
    page = BeautifulSoup(as_officer.get("controls/").text, "html.parser")
    chip = page.select_one("a[aria-label^='Remove the filter Status']")["href"]
    assert chip.endswith("?view=all") and "SEC-04" in as_officer.get(chip).text


def test_a_view_of_another_list_is_no_default(as_officer, acting):
    as_officer.post("lists/evidence/views?state=fresh", name="Fresh")
    as_officer.post("lists/controls/default", view=str(view_id(acting, "Fresh")), then=404)


def test_a_view_that_is_deleted_or_no_longer_shared_opens_no_list(
    as_officer, as_contributor, control, acting
):
    as_officer.post(f"{VIEWS}?status=failing", name="Failing", shared="y")
    shared = view_id(acting, "Failing")
    as_contributor.post("lists/controls/default", view=str(shared))
    assert "View: <b>Failing</b>" in as_contributor.get("controls/").text
    as_officer.post(f"list-views/{shared}/unshare")
    assert "SEC-04" in as_contributor.get("controls/").text
    as_officer.post(f"list-views/{shared}/delete")
    assert "SEC-04" in as_contributor.get("controls/").text
    with acting("admin"):
        assert session().scalars(select(ListDefault)).all() == []


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("tier=gold", "Its filter “tier” no longer exists."),
        ("status=gone", "Its filter “Status” no longer has the value “gone”."),
        ("sort=password", "It sorts by a column that no longer exists."),
        ("columns=owner,colour", "Its column “colour” no longer exists."),
    ],
)
def test_a_view_whose_filter_no_longer_exists_says_so(as_officer, control, acting, query, says):
    with acting("compliance_officer"):
        view = actions.save_view("controls", "Old", query)
        actions.open_with("controls", view)
    assert "Outdated" in as_officer.get(VIEWS).text and says in as_officer.get(VIEWS).text
    assert "outdated" in as_officer.get(VIEWS, headers=MENU).text
    page = as_officer.get("controls/").text
    assert "SEC-04" in page and "Your default view “Old” isn’t applied." in page and says in page


def test_an_erased_person_leaves_no_default(as_officer, control, acting):
    as_officer.post(f"{VIEWS}?status=failing", name="Failing")
    as_officer.post("lists/controls/default", view=str(view_id(acting, "Failing")))
    with acting("admin"):
        publish(PersonErased(make.person_id("compliance_officer"), ("Someone Else",), ()))
        assert session().scalars(select(ListDefault)).all() == []


def test_how_lists_open_is_read_once_until_something_changes(as_officer, isolated, control):
    read = []

    def note(_conn, _cursor, statement, *_rest):
        read.extend(["how lists open"] if "the shell: how lists open" in statement else [])

    event.listen(isolated.engine, "before_cursor_execute", note)
    try:
        for path in ("controls/", "controls/?q=x", "evidence/", "systems/"):
            as_officer.get(path)
        assert len(read) == 1
        as_officer.post("lists/controls/columns", columns=["none", "owner"])
        as_officer.get("controls/")
        assert "Kind" not in heads(as_officer.get("controls/")) and len(read) == 2
    finally:
        event.remove(isolated.engine, "before_cursor_execute", note)
