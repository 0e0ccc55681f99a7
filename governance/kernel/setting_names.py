"""The settings that no feature adds, as docs/operating/README.md lists them.

A name that is neither here nor added stops the start.
"""

import difflib
from collections.abc import Collection, Iterable, Iterator

from governance.kernel.feature_settings import Setting

UNSET_STOPS = "startup fails and names it"
PREFIX = "GOVERNANCE_"

# Name: (what it is, what happens without it).
SETTINGS = {
    "DATABASE_URL": ("`postgresql://governance_app:…@host/governance`", UNSET_STOPS),
    "GOVERNANCE_OWNER_DATABASE_URL": (
        "the same database as `governance_owner`; only `migrate` reads it",
        "`migrate` fails and names it",
    ),
    "GOVERNANCE_SECRET_KEY_FILE": (
        "a file of at least 32 random bytes: form tokens, flash messages",
        UNSET_STOPS,
    ),
    "GOVERNANCE_KEK_FILE": (
        "a file of 32 random bytes: encrypts every tenant's key",
        UNSET_STOPS,
    ),
    "GOVERNANCE_KEK_PREVIOUS_FILE": (
        "the previous key, during a rotation: see `privacy.md`",
        "only the current key decrypts",
    ),
    "GOVERNANCE_PUBLIC_URL": (
        (
            "the address in the browser; `https://`, or loopback, without a path. Its host names the"
            " sender of mail and the key that signs reports, from the first report on"
        ),
        UNSET_STOPS,
    ),
    "GOVERNANCE_STORAGE_URL": (
        "where files are kept: `file:/path` or `s3://bucket/prefix`, see `evidence.md`",
        "`file:` `objects` in `GOVERNANCE_VAR`",
    ),
    "GOVERNANCE_SMTP_URL": (
        "`smtp://user:password@host:587` or `smtps://…`",
        "mail is written to `outbox` in `GOVERNANCE_VAR`",
    ),
    "GOVERNANCE_VAR": ("the folder for Meridian's own files; it must be writable", "`var`"),
    "GOVERNANCE_METRICS_TOKEN": (
        "`/metrics` answers only requests with `Authorization: Bearer` and this token",
        "only a scraper on the same machine, not through a proxy, is answered",
    ),
    "GOVERNANCE_WEB_WORKERS": (
        "how many web processes share a key's rate limit; `governance web` sets it",
        "1",
    ),
    "GOVERNANCE_TRUSTED_PROXIES": (
        (
            "networks of the proxies in front, such as `10.0.0.0/8, 127.0.0.1`: what comes from there"
            " may name the sender in `X-Forwarded-For`"
        ),
        "nobody may, and sessions and the log have the proxy's address",
    ),
    "GOVERNANCE_PRIVATE_NETWORKS": (
        (
            "private networks, such as `10.20.0.0/16`, where Meridian may reach identity providers that"
            " the operator named, over https. Nothing else in them is called, whatever a tenant enters"
        ),
        "Meridian connects to public addresses only",
    ),
    "GOVERNANCE_SECURITY_CONTACT": (
        "`mailto:…` or `https://…` for `/.well-known/security.txt` (RFC 9116)",
        "there is no security.txt",
    ),
    "GOVERNANCE_NOTICE_FILE": (
        (
            "a file with one sentence, such as when you will be away for an upgrade: the sign-in page"
            " shows it while the file is there"
        ),
        "there is no notice",
    ),
    "GOVERNANCE_PRODUCT": ("the name on the pages", "Meridian"),
    "GOVERNANCE_DEMO": (
        (
            "`1` starts an embedded PostgreSQL where `DATABASE_URL` is unset, generates missing keys,"
            " and allows an identity provider on loopback. Only with it, and on loopback, `TODAY`"
            " moves the clock. Never in production"
        ),
        "off",
    ),
}
# Settings of our own tests, benchmarks and demo.
INTERNAL = {
    "GOVERNANCE_BENCH_EVENTS",
    "GOVERNANCE_BENCH_SAMPLES",
    "GOVERNANCE_CLOCK_MOVED_BY",
    "GOVERNANCE_DEMO_DAY",
    "GOVERNANCE_TESTS",
}


def unknown_names(names: Iterable[str], of_features: Collection[str]) -> Iterator[str]:
    """Yield a sentence for each name that begins like a setting and is none."""
    settings = {*SETTINGS, *of_features}
    known = settings | INTERNAL
    for name in sorted(names):
        if name.startswith(PREFIX) and name not in known:
            short = [each.removeprefix(PREFIX) for each in sorted(settings)]
            near = difflib.get_close_matches(name.removeprefix(PREFIX), short, n=1, cutoff=0.7)
            yield f"{name} isn't a setting." + (f" Did you mean {PREFIX}{near[0]}?" if near else "")


def table(of_features: Iterable[Setting]) -> str:
    """Return the table of the documents, in Markdown."""
    every = SETTINGS | {each.name: (each.meaning, each.unset) for each in of_features}
    rows = [f"| `{name}` | {meaning} | {unset} |" for name, (meaning, unset) in every.items()]
    return "\n".join(["| variable | meaning | when unset |", "| --- | --- | --- |", *rows])
