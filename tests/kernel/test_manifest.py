"""Manifests: a missing promise, or one of another feature, stops the start with a sentence."""

from dataclasses import dataclass
from types import ModuleType

import pytest

from governance.app.factory import create_app
from governance.app.features import FEATURES
from governance.foundation.anchors.feature import manifest as anchors
from governance.foundation.api_keys.ports import subjects
from governance.foundation.audit.registry import Action, registry
from governance.kernel.data import db
from governance.kernel.glossary import GLOSSARY, Term
from governance.kernel.manifest import (
    Command,
    Daily,
    EntryLink,
    Every,
    EveryMinute,
    Hourly,
    Manifest,
    ManifestError,
    NavItem,
    ObjectCommand,
    ObjectSearch,
    PortAnswer,
    Subscription,
    installed,
)
from governance.kernel.safety import access
from governance.kernel.safety.access import Permission
from governance.kernel.web.feature import Feature
from governance.kernel.work.events import Event
from governance.operations.gates.gates import GATES, Gate
from governance.operations.systems.parts import SYSTEM_PARTS, SystemTab
from governance.operations.systems.permissions import VIEW as VIEW_SYSTEMS


@dataclass(frozen=True, slots=True)
class Unheard(Event):
    """An event without subscribers."""


def nothing(*_: object) -> None:
    return None


def item(endpoint="anchors.index", permission=None):
    held = permission or access.registry["anchors.view"]
    return NavItem(
        label="Toys", icon="cpu", endpoint=endpoint, permission=held, order=99, group="toys"
    )


GHOST = Permission("ghosts.view", "see ghosts")
NOWHERE = Action("toy.lost", "lost a toy", frozenset(), frozenset(), targets=frozenset({"Toy"}))
WRONG = {
    "a taken name": (
        {"name": "anchors"},
        "Two features have the name anchors: anchors and anchors.",
    ),
    "taken routes": (
        {"routes": (Feature("anchors", __name__),)},
        "Two features have routes named anchors: anchors and toys.",
    ),
    "a taken audit action": (
        {"audit": (registry["anchor.added"],)},
        "Two features declare the audit action anchor.added: anchors and toys.",
    ),
    "its own action twice": (
        {"audit": (NOWHERE, NOWHERE), "links": {}},
        "The feature toys must not declare the audit action toy.lost twice.",
    ),
    "a taken job": (
        {"schedule": (Daily("push checkpoints", nothing, at="01:00"),)},
        "Two features schedule the job push checkpoints: anchors and toys.",
    ),
    "a missing endpoint in the navigation": (
        {"navigation": (item("toys.index"),)},
        "The feature toys names the endpoint toys.index in its navigation, and no route has it.",
    ),
    "a missing endpoint in the palette": (
        {"palette": (Command("Break a toy", "toys.broken", access.registry["anchors.view"]),)},
        "The feature toys names the endpoint toys.broken in its palette, and no route has it.",
    ),
    "a command on objects that nobody finds": (
        {
            "palette": (
                ObjectCommand(
                    "toy",
                    "Break {title}",
                    "anchors.index",
                    "toy_id",
                    access.registry["anchors.view"],
                ),
            )
        },
        "The feature toys has a command on objects of the kind toy, which no feature searches.",
    ),
    "a taken kind of object": (
        {"search": (ObjectSearch("control", nothing, "controls.control", dict),)},
        "Two features search objects of the kind control: controls and toys.",
    ),
    "a missing endpoint in the search": (
        {"search": (ObjectSearch("toy", nothing, "toys.toy", dict),)},
        "The feature toys names the endpoint toys.toy in its search, and no route has it.",
    ),
    "a missing endpoint in the links": (
        {"models": anchors.models, "links": {"Receipt": EntryLink(endpoint="toys.toy")}},
        "The feature toys names the endpoint toys.toy in its links, and no route has it.",
    ),
    "a missing navigation item": (
        {"under": ("toys.index",)},
        "The feature toys is under toys.index, which no navigation item leads to.",
    ),
    "a missing permission in the navigation": (
        {"navigation": (item(permission=GHOST),)},
        "The feature toys names the permission ghosts.view, which nothing declares.",
    ),
    "a missing permission in the palette": (
        {"palette": (Command("See ghosts", "anchors.index", GHOST),)},
        "The feature toys names the permission ghosts.view, which nothing declares.",
    ),
    "a missing model": (
        {
            "models": (ModuleType("toys.models"),),
            "links": {"Toy": EntryLink(no_page="it is a toy")},
        },
        "The feature toys links audit entries of the class Toy, which is no model of its own.",
    ),
    "another feature's model": (
        {"links": {"Receipt": EntryLink(no_page="it is in the box")}},
        "The feature toys links audit entries of the class Receipt, which is no model of its own.",
    ),
    "a link with neither page nor reason": (
        {"models": anchors.models, "links": {"Receipt": EntryLink()}},
        "The feature toys must give the link of Receipt a page, or the reason why there is none.",
    ),
    "an action that leads nowhere": (
        {"audit": (NOWHERE,)},
        "No feature states where toy.lost leads: link the class Toy, or say why it has no page.",
    ),
    "work that is not declared": (
        {"work": (nothing,)},
        (
            "The feature toys lists nothing as work, which @work does not declare (or another took"
            " its kind)."
        ),
    ),
    "an answered port": (
        {"answers": (PortAnswer(subjects, nothing),)},
        (
            "Two features answer the port AI systems that an API key can be limited to: systems and"
            " toys."
        ),
    ),
    "a part of an extension point": (
        {"extensions": (GLOSSARY(Term("Anchor", "It holds."), Term("anchor", "It holds, too.")),)},
        "The feature toys must not have the term anchor twice.",
    ),
    "a part of an extension point that another has": (
        {"extensions": (GATES(Gate(key="task_cost", kind="signal", topic="cost", read=nothing)),)},
        "Two features have the gate task_cost: tenant_costs and toys.",
    ),
    "a page of a part of an extension point": (
        {
            "extensions": (
                SYSTEM_PARTS(
                    SystemTab(
                        label="Toys",
                        endpoint="toys.of_system",
                        argument="system_key",
                        permission=VIEW_SYSTEMS,
                        order=1,
                    )
                ),
            )
        },
        "The feature toys names the endpoint toys.of_system in its system parts, and no route has it.",
    ),
    "an event that nobody takes": (
        {"publishes": (Unheard,)},
        "The feature toys publishes Unheard, and no feature subscribes to it.",
    ),
    "an event that nobody publishes": (
        {"subscribes": (Subscription(Unheard, nothing),)},
        "The feature toys subscribes to Unheard, which no feature publishes.",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_manifest_stops_the_start_with_a_sentence(app, settings, case):
    given, sentence = WRONG[case]
    before = db.engine()
    with pytest.raises(ManifestError) as stopped:
        create_app(settings, (*FEATURES, Manifest(**{"name": "toys"} | given)))
    assert str(stopped.value) == sentence
    assert installed() == FEATURES and db.engine() is before, "nothing was installed"


def test_what_is_right_starts(app):
    assert app.view_functions["anchors.index"] and installed() == FEATURES


@pytest.mark.parametrize(
    ("job", "cron"),
    [
        (Daily("a", nothing, at="04:19"), {"hour": 4, "minute": 19}),
        (Hourly("a", nothing, minute=7), {"minute": 7}),
        (EveryMinute("a", nothing, second=20), {"second": 20}),
        (Every("a", nothing, seconds=5), {"second": "*/5"}),
    ],
)
def test_when_a_job_runs(job, cron):
    assert job.cron == cron
