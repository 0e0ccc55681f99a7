"""The smallest feature that follows CONTRIBUTING, as text.

`write` puts it into a copy of the product: its folder, its page and its line in the list of
features. The product doesn't contain it.
"""

import shutil
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = "governance/operations/toys"
TEMPLATE = "templates/operations/toys/index.html"
LINE = '    "operations.toys",\n'

FILES = {
    "__init__.py": '"""Toys."""\n',
    "models.py": (
        """
from sqlalchemy.orm import Mapped

from governance.kernel.data.db import Model, Tenanted


class Toy(Tenanted, Model):
    __tablename__ = "toys"

    title: Mapped[str]
"""
    ),
    "permissions.py": (
        """
from governance.kernel.safety.access import permission

VIEW = permission("toys.view", "see toys", roles="admin viewer")
MAKE = permission("toys.make", "add a toy", roles="admin")
"""
    ),
    "actions.py": (
        """
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel.data.db import session
from governance.operations.toys.models import Toy

ADDED = action("toy.added", "added a toy", target="Toy", activity="create", severity="low", fields="title")


def add(title: str) -> Toy:
    toy = Toy(title=title)
    session().add(toy)
    record(ADDED, toy, title=title)
    return toy
"""
    ),
    "queries.py": (
        """
from sqlalchemy import func, literal, select

from governance.kernel import current
from governance.kernel.data.db import session
from governance.kernel.manifest import contains
from governance.operations.toys.models import Toy


def toys():
    return session().scalars(select(Toy)).all()


def find(text):
    query = select(Toy.id, literal("").label("ref"), Toy.title)
    return query.where(Toy.tenant_id == current.actor().tenant_id, Toy.title.ilike(contains(text)))


def how_many():
    return session().scalar(select(func.count()).select_from(Toy))
"""
    ),
    "views.py": (
        """
from uuid import UUID

from flask import redirect, request, url_for

from governance.kernel.errors import NotFound
from governance.kernel.web.feature import Feature
from governance.kernel.pages.rendering import page
from governance.operations.toys import actions, permissions, queries

feature = Feature("toys", __name__)


@feature.get("/toys/", needs=permissions.VIEW)
def index():
    return page("operations/toys/index.html", toys=queries.toys())


@feature.get("/toys/<uuid:toy_id>", needs=permissions.VIEW)
def toy(toy_id: UUID):
    found = [each for each in queries.toys() if each.id == toy_id]
    if not found:
        raise NotFound("There is no such toy.")
    return page("operations/toys/index.html", toys=found)


@feature.post("/toys/", needs=permissions.MAKE)
def add():
    return redirect(url_for("toys.toy", toy_id=actions.add(request.form["title"]).id), 303)
"""
    ),
    "jobs.py": (
        """
from governance.kernel.work.jobs import work
from governance.operations.toys import queries

counted = []


def count_toys():
    counted.append(1)


@work("wind up toys")
def wind_up(item, progress):
    progress(1, 1, "Winding up")
"""
    ),
    "inbox.py": (
        """
from governance.kernel.work.inbox import InboxSource, item_select
from governance.operations.toys import permissions
from governance.operations.toys.models import Toy

BROKEN = InboxSource(
    name="broken_toys", group="reviews", needs=permissions.MAKE,
    select=lambda: item_select(Toy, about=Toy.title, since=Toy.created_at),
    icon="cpu", verb="Open", title=lambda row: f"Fix {row.about}", detail=lambda row: "", why="you make toys",
    endpoint="toys.toy", values=lambda row: {"toy_id": row.id},
)
"""
    ),
    TEMPLATE: (
        """
{% extends "layout.html" %}
{% block head %}{% call c.head("Toys", "Toys", "What is played with.") %}{% endcall %}{% endblock %}
{% block content %}<ul>{% for toy in toys %}<li>{{ toy.title }}</li>{% endfor %}</ul>{% endblock %}
"""
    ),
    "feature.py": (
        """
from governance.foundation.audit.registry import actions_in
from governance.kernel.manifest import Command, Daily, EntryLink, Manifest, NavItem, ObjectSearch
from governance.operations.toys import actions, inbox, jobs, models, permissions, queries, views

manifest = Manifest(
    name="toys",
    models=(models,),
    routes=(views.feature,),
    navigation=(NavItem(label="Toys", icon="cpu", endpoint="toys.index", permission=permissions.VIEW, order=55, group="operations"),),
    schedule=(Daily("count toys", jobs.count_toys, at="05:05"),),
    work=(jobs.wind_up,),
    inbox=(inbox.BROKEN,),
    palette=(Command("Add a toy", "toys.index", permissions.MAKE),),
    search=(ObjectSearch("toy", queries.find, "toys.toy", lambda toy_id, _ref: {"toy_id": toy_id}),),
    audit=actions_in(actions),
    links={"Toy": EntryLink(endpoint="toys.toy", argument="toy_id")},
)
"""
    ),
}


def write(folder: Path) -> None:
    """Copy the product into `folder`, and add the feature to the copy."""
    for name in ("governance", "templates"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("migrations", "tests", "docs", "pyproject.toml", "alembic.ini"):
        if (ROOT / name).exists():
            (folder / name).symlink_to(ROOT / name)
    for name, text in FILES.items():
        path = folder / (name if name == TEMPLATE else f"{FOLDER}/{name}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.lstrip())
    listed = folder / "governance" / "app" / "features.py"
    before, opening, after = listed.read_text().partition("FOLDERS = (\n")
    listed.write_text(before + opening + LINE + after)
