"""A copy of the application with the toy feature, whose pages it requests and prints.

It needs its own process, since permissions, actions and tables are declared once per process.
Everything is rolled back.

    python toy_console.py DATABASE_URL OWNER_URL VAR      (with the copy first on the import path)
"""

import json
import re
import sys
from importlib import import_module
from pathlib import Path

from sqlalchemy import create_engine, text

from governance.app.factory import create_app
from governance.app.schedule import jobs_of
from governance.foundation.audit import queries as audit
from governance.foundation.audit.registry import registry
from governance.foundation.logbook.ocsf import event
from governance.kernel import config
from governance.kernel.data import db
from governance.kernel.manifest import installed
from governance.kernel.safety import access
from governance.kernel.work import jobs
from tests import make
from tests.browser import Visitor

SEAL = """
ALTER TABLE toys ENABLE ROW LEVEL SECURITY;
ALTER TABLE toys FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON toys USING (tenant_id = (SELECT nullif(current_setting('app.tenant', true), '')::uuid))
"""


def main(database_url: str, owner_url: str, var: str) -> None:
    settings = config.Settings(
        database_url=database_url,
        owner_database_url=owner_url,
        secret_key=bytes(range(32)),
        kek=bytes(range(1, 33)),
        public_url="http://localhost",
        storage_url=f"file:{var}/objects",
        smtp_url=None,
        var=Path(var),
        demo=True,
    )
    app = create_app(settings)
    with create_engine(owner_url).connect() as connection:
        outer = connection.begin()
        db.connect(connection)
        import_module("governance.operations.toys.models").Toy.__table__.create(connection)
        connection.execute(text(SEAL))
        met = walk(app)
        outer.rollback()
    json.dump(met, sys.stdout)


def walk(app) -> dict[str, object]:
    admin, viewer = Visitor(app, make.cookie("admin")), Visitor(app, make.cookie("viewer"))
    neighbour = Visitor(app, make.cookie("admin", "globex"), "globex")
    officer = Visitor(app, make.cookie("compliance_officer"))
    page = admin.post("toys/", title="Tin robot", then=303).location
    toy_id = page.rsplit("/", 1)[1]
    with make.acting("admin"):
        entry = audit.entries_about([toy_id], limit=1)[0]
        entry_id, body = entry.id, json.loads(entry.body)
    told = event(0, body, registry[body["action"]])
    return {
        "page": admin.get(page).text,
        "navigation": re.findall(
            r'<li><a href="([^"]+)"( aria-current="page")?>', admin.get("toys/").text
        ),
        "navigation of an officer": officer.get("controls/").text,
        "refused": [
            viewer.post("toys/", title="x", then=None).status_code,
            officer.get("toys/", then=None).status_code,
        ],
        "elsewhere": neighbour.get(page.replace("/acme/", "/globex/"), then=None).status_code,
        "commands": {
            name: _labels(who, "a toy") for name, who in (("admin", admin), ("viewer", viewer))
        },
        "objects": {
            name: _labels(who, "tin rob") for name, who in (("admin", admin), ("globex", neighbour))
        },
        "log": admin.get("audit/?action=toy").text,
        "entry": admin.get(f"audit/entries/{entry_id}").text,
        "ocsf": [told["class_uid"], told["activity_id"], told["severity_id"], told["message"]],
        "schedule": jobs_of(installed())["count toys"][1],
        "work": sorted(jobs.handlers),
        "inbox page": admin.get("inbox/").text,
        "inbox": [
            source.name for each in installed() for source in each.inbox if each.name == "toys"
        ],
        "permissions": {
            name: sorted(access.registry[name].roles) for name in ("toys.view", "toys.make")
        },
    }


def _labels(who: Visitor, typed: str) -> dict[str, str]:
    return {hit["label"]: hit["href"] for hit in who.get("jump", query_string={"q": typed}).json}


if __name__ == "__main__":
    main(*sys.argv[1:])
