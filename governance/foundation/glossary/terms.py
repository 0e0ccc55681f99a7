"""The terms, each with one plain sentence. The page, docs/glossary.md and the help are drawn from
this list.
"""

import re
from dataclasses import dataclass
from itertools import groupby


@dataclass(frozen=True, slots=True)
class Term:
    """A term and its meaning.

    `covers` lists, separated by spaces, the nouns of audit actions and permissions that this term
    explains ("anchor" is the external witness).
    """

    name: str
    meaning: str
    covers: str = ""

    @property
    def slug(self) -> str:
        """The anchor on the glossary page: "External witness" is `external-witness`."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")


TERMS = (
    Term(
        "Access review",
        "A periodic check in which someone decides, person by person, who keeps access to the"
        " tenant.",
        "access_review access_reviews",
    ),
    Term(
        "Activity",
        "What people and programs did, newest first, as the audit log recorded it.",
    ),
    Term(
        "Agreement",
        "What one party promises another in versions that both sides accept: commitments, "
        "credits, support times and exclusions.",
        "agreement agreements",
    ),
    Term(
        "AI system",
        "An application or model that you register in Meridian, so that you can assess it, set its"
        " policy and stop it.",
        "system systems",
    ),
    Term(
        "Alert",
        "A notice that an objective spends its error budget too fast; one burst is one alert, which"
        " people acknowledge and which resolves when the burn stops.",
        "alert alerts budget",
    ),
    Term(
        "Allocation rule",
        "What a pool of shared cost follows when it is divided among tenants, such as active users or"
        " revenue; what it leaves over is the residue.",
        "allocation allocation_rules",
    ),
    Term(
        "API key",
        "A secret that lets a program call Meridian's API, limited to the scopes and the lifetime"
        " chosen when it was created.",
        "api_key api_keys",
    ),
    Term(
        "Approval",
        "A second person's consent to a sensitive change, required before the change takes effect.",
        "approval approvals",
    ),
    Term("Approver", "The person who approves or rejects a request; never its requester."),
    Term(
        "Assessment",
        "A review of a framework over a period, in which people conclude how far each requirement"
        " is met.",
        "assessment assessments",
    ),
    Term(
        "Audit log",
        "The append-only record of every action, built so that anyone can prove that no entry was"
        " changed or removed.",
        "audit",
    ),
    Term(
        "Audit request",
        "Something an auditor asks you to provide during an engagement, with a due date and an"
        " assignee.",
        "request",
    ),
    Term(
        "Auditor",
        "An external reader with access to the scope of an engagement, and only while it is open.",
    ),
    Term(
        "Background work",
        "A task that runs after you start it, such as generating a report, with its progress shown"
        " on the page.",
        "work",
    ),
    Term(
        "Backup",
        "A copy of the database that can be restored; the operator records each one, and the inbox"
        " reports when the last one is too old.",
        "backup",
    ),
    Term(
        "Bulk action",
        "One change to all selected rows of a list, previewed before anything is saved.",
    ),
    Term(
        "Burn rate",
        "How many times faster than allowed an error budget is spent, where 1 spends it in exactly"
        " the objective's window.",
    ),
    Term(
        "Cadence",
        "How often something recurs, for example a control test every quarter.",
    ),
    Term(
        "Change log",
        "What customers are told about changes to AI systems: drafted by the record, edited by a"
        " person, approved by another, on a public page with a feed.",
        "change_log",
    ),
    Term(
        "Checkpoint",
        "A signed summary of the audit log at one moment, which fixes the number and the content of"
        " its entries.",
    ),
    Term(
        "Claim",
        "What the operator asks of a vendor for the minutes of one tenant's month, prepared by one"
        " person, approved by another and sent by name before the vendor's deadline.",
        "claim",
    ),
    Term(
        "Collector",
        "A scheduled job that collects evidence automatically, so that no one has to take"
        " screenshots.",
        "collector collectors",
    ),
    Term(
        "Comment",
        "A remark on a control, an evidence item, a risk, an exception or a finding that members"
        " can read and auditors can't.",
        "comment comments",
    ),
    Term(
        "Commitment",
        "One promise of an agreement: an objective or indicator, a target, credit bands, "
        "and the part of the fee at stake.",
    ),
    Term(
        "Compliance officer",
        "The role that runs the program: controls, evidence, assessments, policies and"
        " engagements.",
    ),
    Term(
        "Conclusion",
        "An assessor's judgment of one requirement, with a level and a reason, valid once another"
        " person signs it off.",
    ),
    Term("Contributor", "The role that provides evidence and operates the controls it owns."),
    Term(
        "Control",
        "A measure that you operate to reduce a risk or satisfy a requirement, for example"
        " reviewing access every quarter.",
        "control controls",
    ),
    Term(
        "Cost pool",
        "What a charge pays for: models, infrastructure, idle capacity, guardrails, support or"
        " other.",
        "cost_pool_rule",
    ),
    Term(
        "Coverage",
        "The levels that a framework's requirements have reached, as a percentage of their"
        " targets.",
    ),
    Term(
        "Credit",
        "The part of a month's fee that is owed for a missed commitment, chosen by its credit band"
        " and limited by the agreement's cap.",
        "credit",
    ),
    Term(
        "Credit band",
        "A range of attainment and the share of the fee part that is credited when the "
        "month ends in it.",
    ),
    Term(
        "Credit cap",
        "The most that a month credits, as a share of its fee.",
    ),
    Term(
        "Croissant",
        "A format of MLCommons that describes a data set in JSON-LD: its source, licence and limits.",
    ),
    Term(
        "Crosswalk",
        "A table that shows which requirements of two frameworks the same controls satisfy.",
    ),
    Term(
        "Data coverage",
        "The share of a window's minutes that have data, which has to reach an objective's minimum"
        " before anything is stated.",
    ),
    Term(
        "Data set",
        "Data that AI systems are trained on, retrieve from or are evaluated with, with its licence,"
        " its consent and its age.",
        "data_set data_sets",
    ),
    Term(
        "Data set version",
        "The description of a data set as it was published once; it never changes, and a change is"
        " a new version.",
    ),
    Term(
        "Dead letter",
        "A webhook message that the receiver didn't accept in any attempt, kept so that you can"
        " replay it.",
    ),
    Term(
        "Decision",
        "The decision API's answer to an AI system that asks whether a feature may run, and within"
        " which limits.",
        "decisions",
    ),
    Term(
        "Digest",
        "One email a day with the notifications of the day, at the hour that you choose.",
        "digest",
    ),
    Term(
        "Denied act",
        "A request that Meridian denied, a wrong API key or a forged form, counted in the audit log"
        " once an hour for each person or key and route.",
        "access",
    ),
    Term(
        "Dispute",
        "A tenant's objection to minutes or to an exclusion of a statement, answered by the operator"
        " on the record; an accepted one makes a revision.",
        "dispute",
    ),
    Term(
        "Drill",
        "A planned stop that proves that a kill switch works and how fast systems obey it.",
    ),
    Term(
        "Effective cost",
        "What a provider's charge costs the month that used it, so that a prepaid commitment, billed"
        " when it is bought, costs as it is drawn down.",
        "cost_line cost_bill costs",
    ),
    Term(
        "Encryption key",
        "A key that protects stored data; rotating it replaces it without losing any data.",
        "encryption_key",
    ),
    Term(
        "Engagement",
        "An audit of an agreed scope and period, with named auditors, their requests and the days"
        " when they have access.",
        "engagement engagements",
    ),
    Term(
        "Erasure",
        "The removal of a person's data on request, which leaves the audit log provable.",
        "erasure",
    ),
    Term(
        "Error budget",
        "What an objective's target allows to fail in its window, in minutes or in events, counted"
        " exactly.",
    ),
    Term(
        "Evaluation",
        "A test of an AI system on cases: what it gets right, what it makes up, how long it takes and"
        " what it costs.",
        "evaluation evaluations",
    ),
    Term(
        "Evaluation finding",
        "A measure of an evaluation that misses the limit of the policy tier; until a person closes"
        " it, the controls that rest on the measure fail.",
        "evaluation_findings",
    ),
    Term(
        "Evaluation run",
        "One version of an evaluation suite on one release of an AI system, with a figure, an"
        " interval and a verdict for each measure.",
    ),
    Term(
        "Evaluation runner",
        "A system of your own that evaluates when people ask for it, and sends the run; Meridian runs"
        " no models.",
    ),
    Term(
        "Evaluation suite",
        "The cases, method and measures that an evaluation uses; each published version stays as it"
        " is.",
    ),
    Term(
        "Evidence item",
        "A recurring document that shows that controls work, for example a penetration test"
        " report; each upload becomes a version.",
        "evidence",
    ),
    Term(
        "Evidence package",
        "A signed archive of an engagement's evidence, which auditors can verify offline.",
        "package",
    ),
    Term(
        "Evidence version",
        "One uploaded file or link of an evidence item, which a reviewer accepts or rejects.",
    ),
    Term(
        "Exception",
        "A sampled item that failed its test or can't be tested, with management's response.",
        "test.exception",
    ),
    Term(
        "Exchange rate",
        "What one unit of a currency was worth in the reporting currency in a month; until it is"
        " entered, amounts use the last known one and are marked provisional.",
        "rate rates",
    ),
    Term(
        "Explanation",
        "A public page about an AI system for the people who use it: what it can do, its limits, the"
        " rules that apply, and its last evaluation and stop drill.",
        "explanation explanations",
    ),
    Term(
        "External witness",
        "A service outside Meridian that countersigns or stores checkpoints, so that not even the"
        " operator can rewrite the audit log unnoticed.",
        "anchor anchors",
    ),
    Term(
        "Exclusion",
        "A span of time, such as announced maintenance, whose minutes attainment leaves out while"
        " their counts are kept.",
        "exclusion exclusions",
    ),
    Term(
        "Feature",
        "A part of an AI system that has its own switch, for example drafting replies.",
    ),
    Term(
        "Fieldwork window",
        "The days of an engagement when its auditors have access.",
    ),
    Term(
        "Finding",
        "A weakness that testing found in a control, open until it is remediated and retested.",
        "finding",
    ),
    Term(
        "Fingerprint",
        "A short hash of exact content; if anything in it changes, so does the fingerprint.",
    ),
    Term(
        "Framework",
        "A published set of requirements, such as SOC 2 or the NIST AI RMF, that you measure"
        " yourself against.",
        "framework frameworks",
    ),
    Term(
        "Freshness",
        "Whether an evidence item has an accepted version that is recent enough for its cadence.",
    ),
    Term(
        "Identity provider",
        "The service where your people sign in, for example Okta or Entra ID; Meridian stores no"
        " passwords.",
        "identity_provider sign_in",
    ),
    Term(
        "Impact window",
        "From when to when an incident affected an AI system; it attributes lost minutes to the "
        "incident and never changes counts.",
    ),
    Term(
        "Imported file",
        "A file of bills, revenue, prices or usage that the operator uploads, which is previewed and"
        " then applied as a whole or not at all.",
        "import imports",
    ),
    Term(
        "Inbox",
        "Everything that needs you, most urgent first; an item leaves when its work is done.",
        "inbox",
    ),
    Term(
        "Incident",
        "Something that harmed people or what was promised to a customer, run on one page with "
        "its timeline, clocks, customer updates and review.",
        "incident incidents",
    ),
    Term(
        "Indicator",
        "One measured quantity of an AI system, such as requests answered or minutes down.",
        "indicator indicators",
    ),
    Term(
        "Intake",
        "Where product teams propose AI systems: triage derives the classes from their answers, and"
        " another person decides whether a proposal joins the register.",
        "intake system.proposal",
    ),
    Term(
        "Invitation",
        "An email that gives a new member or auditor access when they sign in.",
        "invitation",
    ),
    Term(
        "Judge",
        "The model that decides whether a case of an evaluation passes; people label a set of cases to"
        " measure how far it agrees with them.",
        "judge judges",
    ),
    Term(
        "Keys",
        "Where operators see since when each key and certificate is in use, when it is due, and what"
        " replaces it.",
    ),
    Term(
        "Kill switch",
        "A control that stops a feature, an AI system or everything at once; starting again needs a"
        " second person.",
        "switch switches",
    ),
    Term(
        "Legal hold",
        "An order to keep data, which blocks its deletion until someone releases the hold.",
        "legal_hold",
    ),
    Term(
        "Level",
        "How far a requirement is met: 0 not addressed, 1 partial, 2 addressed, 3 evidenced,"
        " 4 effective.",
    ),
    Term(
        "Lifecycle stage",
        "Where an AI system is between idea and end: proposed, in review, live,"
        " restricted or retired.",
    ),
    Term(
        "Maintenance window",
        "A planned span of work on a system, announced in advance, once or recurring.",
        "maintenance maintenance_feed",
    ),
    Term("Mapping", "The link between a control and a requirement that it satisfies."),
    Term(
        "Member",
        "A person with a role in a tenant.",
        "membership person people",
    ),
    Term(
        "Mention",
        "A person's address after @ in a comment; the person is notified.",
    ),
    Term(
        "Meridian",
        "The product you are using: it keeps proof of how your organization governs its AI, and"
        " lets your AI systems ask what they may do.",
    ),
    Term(
        "Model card",
        "What a customer says in public about an AI system: what it does and doesn't do, how well it"
        " works and by which runs, and how it is known to fail.",
        "model_cards model_card failure_text",
    ),
    Term(
        "Model retirement",
        "The day on which a vendor stops serving a model, with the AI systems that still use it.",
    ),
    Term(
        "Notification",
        "Something that happened and concerns you, such as a mention; what needs you is in the"
        " inbox.",
        "notification notifications",
    ),
    Term(
        "Objective",
        "A target for one indicator over a window, such as 99.5% of requests in 30 days.",
        "objective objectives",
    ),
    Term(
        "Offboarding",
        "The deletion of a suspended tenant: two operators approve it, and after a waiting period its"
        " keys, files and rows are deleted, with a signed certificate as proof.",
        "tenant_offboarding",
    ),
    Term(
        "OpenSLO",
        "An open format for objectives in YAML, which Meridian imports and exports.",
        "openslo",
    ),
    Term(
        "Operator",
        "The organization that runs Meridian for its tenants and sets the platform minimum.",
    ),
    Term(
        "Overview",
        "The first page: coverage, what changed and what needs attention.",
    ),
    Term(
        "Owner",
        "The member who is responsible for a control, an evidence item or an AI system.",
    ),
    Term(
        "Platform minimum",
        "The strictness that the operator requires of every tenant; no policy can go below it.",
        "platform_minimum platform",
    ),
    Term(
        "Playbook",
        "A versioned checklist for one kind of incident, whose steps are instructions, links, or"
        " actions that Meridian carries out with the permission of the person who runs it.",
        "playbook playbooks",
    ),
    Term(
        "Policy",
        "The tenant's rules for its AI systems, such as content filters and rate limits, in"
        " published versions.",
        "policy policies",
    ),
    Term(
        "Policy bundle key",
        "The key that signs the flags and policies that AI systems download, so that they can"
        " detect forgeries.",
        "policy_bundle",
    ),
    Term(
        "Policy tier",
        "A named set of policy values, from standard to strict, that a tenant starts from.",
    ),
    Term(
        "Population",
        "The full list of occurrences of a control in a period, frozen before a sample is drawn"
        " from it.",
        "population",
    ),
    Term(
        "Post-incident review",
        "What a team writes down after an incident: what happened, its impact, what "
        "contributed, what went well and what to change; closed, it becomes evidence.",
    ),
    Term(
        "Price",
        "What a provider charges for a million tokens of a model from a day on; a later price"
        " supersedes it, and usage keeps the price that it used.",
        "price prices price_restatement list_prices tenant_costs",
    ),
    Term(
        "Privacy",
        "The pages for personal data: erasures, unmasking, legal holds and retention.",
        "privacy",
    ),
    Term(
        "Profile",
        "What a person chose for themselves in a tenant: how numbers, dates and times are written,"
        " the theme, and how they are notified.",
        "profile",
    ),
    Term(
        "Prometheus source",
        "A server with Prometheus's HTTP API from which Meridian reads the minutes of indicators.",
        "prometheus",
    ),
    Term(
        "Proven",
        "A requirement at level 3 or above: controls cover it in full, and another person has"
        " accepted all of their evidence.",
    ),
    Term(
        "Provisioning",
        "Keeping members in step with the company's directory: it creates users over SCIM, puts"
        " them in groups that may give a role, and takes access away when someone leaves.",
        "scim provisioning",
    ),
    Term(
        "Pseudonym",
        "The code that represents a person in the audit log, so that their name can be erased"
        " without changing an entry.",
    ),
    Term(
        "Queues and jobs",
        "Where operators see background work of all tenants that waits, runs or failed, and when"
        " scheduled jobs ran.",
        "platform_work",
    ),
    Term(
        "Recertification",
        "The check that lets an agent or MCP server be used until a later day.",
    ),
    Term(
        "Rehearsal",
        "A replay of an agreement version over the last 13 months, which shows the credits "
        "it would have cost before anyone signs.",
    ),
    Term(
        "Remediation",
        "The work that fixes a finding, reported by its owner and confirmed by a retest.",
    ),
    Term(
        "Red team",
        "People who attack an AI system by rules during a window; what broke through stays open until a"
        " regression case proves the fix.",
        "red_team red_teams red_team_reports",
    ),
    Term(
        "Report",
        "A signed PDF that shows how far you meet a framework, with the evidence behind each"
        " claim.",
        "report reports report_schedule report_schedules",
    ),
    Term(
        "Reporting currency",
        "The one currency of the operator's totals.",
        "reporting_currency",
    ),
    Term(
        "Requester",
        "The person who requests a change that needs approval; they can withdraw the request, but"
        " not approve it.",
    ),
    Term("Requirement", "One numbered statement of a framework, for example CC6.1 or MEASURE 2.7."),
    Term(
        "Residual",
        "What providers invoice for models beyond the cost computed from usage and prices, split"
        " into causes.",
        "invoice_model_name",
    ),
    Term(
        "Restore drill",
        "A rehearsal of a restore on a temporary server, from a backup that is older than an erasure,"
        " with a recorded outcome.",
        "restore_drill",
    ),
    Term(
        "Retention",
        "How long something is kept before it is deleted or its personal parts are destroyed.",
        "retention",
    ),
    Term(
        "Revision",
        "A numbered later version of a closed statement, which lists what changed and what it does"
        " to the credit; the closed figures before it stay available.",
    ),
    Term(
        "Risk",
        "Something that an AI system can do wrong, scored by likelihood times impact before controls"
        " (inherent) and after them (residual).",
        "risk risks",
    ),
    Term(
        "Risk acceptance",
        "A second person's consent to live with a risk at its present score until a day; it is stale"
        " once the score has changed.",
    ),
    Term(
        "Risk appetite",
        "The highest residual score that nobody has to accept.",
    ),
    Term(
        "Risk class",
        "How much harm an AI system could do, standard or high; a higher class means stricter"
        " rules.",
    ),
    Term(
        "Role",
        "What a member may do in a tenant: tenant admin, compliance officer, contributor, auditor"
        " or viewer.",
    ),
    Term(
        "Rollback plan",
        "What happens when a release is taken back, who owns that, and what a failed guardrail does"
        " by itself; required before the first stage.",
    ),
    Term(
        "Rollout",
        "How a release of an AI system reaches people: from shadow, where nobody gets it, in growing"
        " shares to everyone.",
        "rollout rollouts",
    ),
    Term(
        "Rollout gate",
        "A figure that a rollout rests on: a guardrail that fails halts it, a signal pauses it, a"
        " condition keeps it from advancing.",
    ),
    Term(
        "Run comparison",
        "Two evaluation runs of one suite, compared on the cases that both have, with a verdict for"
        " each measure: better, worse, or undecided.",
        "comparison comparisons",
    ),
    Term(
        "Sample",
        "Items drawn at random from a population, tested one by one.",
        "sample",
    ),
    Term(
        "Sample size",
        "How many items a test draws, read from the tenant's table by cadence and risk.",
        "sampling",
    ),
    Term(
        "Saved view",
        "Filters, sorting and columns of a list that you saved under a name.",
        "list_view list_views audit.view",
    ),
    Term(
        "Scope",
        "What an engagement, an assessment or an API key covers.",
    ),
    Term(
        "Session",
        "The time between signing in and out in one browser.",
        "session",
    ),
    Term(
        "Settings",
        "The pages where admins manage members, sign-in, API keys, witnesses, privacy and regional"
        " formats.",
    ),
    Term(
        "Severity",
        "How bad an incident is, from 1, the worst, to 4; agreements promise support times for "
        "each.",
    ),
    Term(
        "Sign-off",
        "A second person's confirmation of an assessment's conclusion.",
    ),
    Term(
        "Slug",
        "A short name in addresses and API calls, in lower case with hyphens.",
    ),
    Term(
        "Snooze",
        "To hide an inbox item until a time you choose, no later than its deadline.",
    ),
    Term(
        "Statement",
        "A closed month under an agreement: what was promised, what was attained, and the credit,"
        " with the minute counts to recompute it.",
        "statement statements",
    ),
    Term(
        "Status",
        "The current state of something, with the reason always one click away.",
    ),
    Term(
        "Status page",
        "A private page of a tenant for its members and named contacts: incidents that affect "
        "it, the state of its objectives, and maintenance.",
        "status",
    ),
    Term(
        "Statutory clock",
        "The time within which a law asks for a notice after an incident, counted from when "
        "somebody became aware of it.",
    ),
    Term(
        "Step-up sign-in",
        "A fresh sign-in that a sensitive action asks for when your last one is more than five"
        " minutes old.",
    ),
    Term(
        "Substantial change",
        "A change of an AI system's purpose, model family, data sets, autonomy or intended users: what"
        " was assessed before is outdated until someone confirms with a reason that it is still valid.",
    ),
    Term(
        "Support access",
        "An operator's access to a tenant for some hours, which an admin of the tenant approved, can"
        " end, and finds in the tenant's audit log.",
        "support support_access",
    ),
    Term(
        "Support clock",
        "Time that counts toward a response or resolution: business hours without holidays,"
        " or around the clock, without agreed pauses.",
    ),
    Term(
        "Technical file",
        "A document with the points of Annex IV of the EU AI Act about one AI system: each sentence is"
        " bound to a record, and open points keep it from being completed.",
        "system_document system_documents",
    ),
    Term(
        "Tenant",
        "One organization's separate space in Meridian; no tenant can see another's data.",
        "tenant tenants",
    ),
    Term(
        "Tenant admin",
        "The role that manages members, sign-in, keys and settings, and can do everything a"
        " compliance officer can.",
    ),
    Term(
        "Tenant export",
        "A signed archive of everything that a tenant has in Meridian: rows, files and the log.",
        "tenant_exports tenant_export",
    ),
    Term(
        "Test",
        "A check that a control was operated as described, with a result and the evidence behind"
        " it.",
        "test",
    ),
    Term(
        "Type II testing",
        "Testing that a control worked throughout a period, on a sample of its population, rather"
        " than on one day.",
        "testing",
    ),
    Term(
        "Unit-economics review",
        "A month's revenue, cost and margin by tenant, AI system and tier, frozen when the month"
        " closes and signed off by finance and product.",
        "reviews review",
    ),
    Term(
        "Unmasking",
        "Revealing the name behind a pseudonym, which needs a reason and a second person.",
        "unmasking",
    ),
    Term("Viewer", "The role that can view the tenant's pages but can't change anything."),
    Term(
        "Account",
        "What the operator knows of a customer as a buyer: its segment, its seats, and when it was"
        " won and lost.",
        "account",
    ),
    Term(
        "Budget",
        "An amount for what AI costs in a month or in 30 days, with a forecast and alerts, which"
        " never blocks a request.",
        "cost_budget cost_budgets budgets",
    ),
    Term(
        "MRR",
        "Monthly recurring revenue: what subscriptions in force on the last day of a month pay for"
        " a month.",
    ),
    Term(
        "Revenue",
        "What customers were billed for a month, net of tax and credit notes, shown beside MRR.",
        "revenue",
    ),
    Term(
        "Segment",
        "A group of accounts whose cost of winning and lifetime value are compared, such as"
        " Enterprise.",
    ),
    Term(
        "Usage",
        "Requests to models with their tokens, which AI products send as events and Meridian counts"
        " by day.",
        "usage",
    ),
    Term(
        "Waiver",
        "A time-limited permission for one AI system to go below the platform minimum, with a"
        " reason, approved by two people.",
        "waiver",
    ),
    Term(
        "Webhook",
        "A signed message to one of your own systems about an event in Meridian, sent when the"
        " event happens and retried until the system accepts it.",
        "webhook webhooks",
    ),
)
BY_SLUG = {term.slug: term for term in TERMS}


def term(slug: str) -> Term:
    """Return the term that a help text links to.

    Raises LookupError for a slug that the glossary doesn't have.
    """
    return BY_SLUG[slug]


def groups() -> list[tuple[str, list[Term]]]:
    """The terms by their first letter, in alphabetical order."""
    ordered = sorted(TERMS, key=lambda each: each.name.lower())
    return [(letter, list(each)) for letter, each in groupby(ordered, lambda t: t.name[0])]


def markdown() -> str:
    """The text of docs/glossary.md."""
    lines = [
        "# Glossary",
        "",
        "The terms that Meridian uses. The same list is in the product, at `/glossary`.",
        "",
        "Generated from `governance/foundation/glossary/terms.py` by `python -m tools.glossary`.",
    ]
    for letter, terms in groups():
        lines += ["", f"## {letter}", ""]
        lines += [f"- **{each.name}**: {each.meaning}" for each in terms]
    return "\n".join(lines) + "\n"
