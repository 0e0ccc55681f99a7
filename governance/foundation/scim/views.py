"""The page of provisioning: where the directory connects, what it has sent, and what went wrong."""

from flask import current_app, request

from governance.foundation.api_keys import queries as api_keys
from governance.foundation.people import queries as people
from governance.foundation.scim import permissions, queries
from governance.foundation.scim.api import PREFIX
from governance.kernel.pages.rendering import page
from governance.kernel.web.feature import Feature
from governance.kernel.web.responses import ResponseReturnValue

feature = Feature("scim", __name__)


@feature.get("/settings/provisioning", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    keys, live = queries.keys(), people.connection()
    only_problems = request.args.get("show") == "problems"
    mapped = dict(live.group_roles) if live else {}
    groups = queries.groups_with_sizes()
    return page(
        "foundation/scim/index.html",
        address=f"{current_app.config['PUBLIC_URL']}{PREFIX}",
        keys=keys,
        names=people.names(key.made_by for key in keys),
        key_names={key.id: key.name for key in keys},
        stale_keys=api_keys.known_to_former_members(keys),
        counts=queries.counts(),
        groups=[
            (each, size, mapped.get(each.display_name) or mapped.get(each.external_id or ""))
            for each, size in groups
        ],
        max_groups=queries.MAX_GROUPS_SHOWN,
        has_mapping=bool(mapped),
        calls=queries.newest_calls(only_problems=only_problems),
        only_problems=only_problems,
        max_calls=queries.MAX_CALLS_SHOWN,
    )
