"""Public addresses that can't be guessed, and that name the tenant they belong to.

    chg_<tenant>_<22 characters>    128 random bits after the tenant's slug

The tenant in the token says where to search; its row says whether the token is the current one.
Every wrong token gets the same answer.
"""

import re
import secrets

from governance.foundation.tenants import queries
from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel import current
from governance.kernel.current import Actor

TOKEN = re.compile(r"(?P<kind>[a-z]{3})_(?P<tenant>[a-z][a-z0-9-]{1,40})_[A-Za-z0-9_-]{22}")
RANDOM_BYTES = 16


def new_token(kind: str) -> str:
    """Return a token of this kind (three letters) for the acting tenant."""
    return f"{kind}_{current.actor().tenant_slug}_{secrets.token_urlsafe(RANDOM_BYTES)}"


def tenant_of(token: str, kind: str) -> Actor | None:
    """Return Meridian in the tenant that a token of this kind names, None for anything else."""
    found = TOKEN.fullmatch(token)
    if found is None or found["kind"] != kind:
        return None
    tenant_id = queries.tenant_id(found["tenant"])
    if tenant_id is None:
        return None
    return system_actor_in(tenant_id, found["tenant"], found["tenant"])
