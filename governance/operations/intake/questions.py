"""The questions of an intake form, and their possible answers. Pure.

An answer is the value of one choice, or a list of values if several apply. "none" is an answer; a
question without an answer is open.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

NONE = "none"
SAFEGUARDS = "safeguards"
ANNEX_III = {
    "1": "Biometrics",
    "2": "Critical infrastructure",
    "3": "Education and training",
    "4": "Employment and management of workers",
    "5": "Essential services, benefits, credit or insurance",
    "6": "Law enforcement",
    "7": "Migration, asylum or border control",
    "8": "Courts or elections",
}  # Areas of Annex III by number, in our words


@dataclass(frozen=True, slots=True)
class Question:
    """One question. `choices` are value → label; `means` explains a choice."""

    key: str
    label: str
    choices: Mapping[str, str]
    several: bool = False
    help: str = ""


QUESTIONS: dict[str, Question] = {
    each.key: each
    for each in (
        Question(
            "regions",
            "Where are the people it affects?",
            {
                "eu": "European Union",
                "uk": "United Kingdom",
                "us": "United States",
                "other": "Elsewhere",
            },
            several=True,
        ),
        Question(
            "role",
            "What is your role for this system?",
            {
                "provider": "Provider: we develop it, or have it developed under our name",
                "deployer": "Deployer: we use it under our authority",
                "both": "Both",
            },
            help="The duties of the EU AI Act differ by role.",
        ),
        Question(
            "audience",
            "Who uses it?",
            {
                "employees": "Our own employees",
                "business": "Employees of our customers",
                "consumers": "Consumers",
                "public": "A public authority",
            },
        ),
        Question(
            "decides",
            "Does it decide about people?",
            {
                "no": "No",
                "informs": "It informs a person who decides",
                "alone": "It decides without a person",
            },
            help="For example about a claim, a job, a price or access to a service.",
        ),
        Question(
            "autonomy",
            "What can it do by itself?",
            {
                "advice": "It gives advice; people decide",
                "approval": "It acts after a person approves",
                "limits": "It acts alone within limits",
                "alone": "It acts alone",
            },
        ),
        Question(
            "data_used",
            "Which data does it use?",
            {
                NONE: "No personal data",
                "personal": "Personal data",
                "special": "Health, biometric or other sensitive data",
                "children": "Data about children",
                "confidential": "Confidential business data",
            },
            several=True,
        ),
        Question(
            "area",
            "Is it used in one of these areas?",
            {**ANNEX_III, NONE: "None of these"},
            help="The areas of Annex III of the EU AI Act.",
        ),
        Question(
            "profiles",
            "Does it profile people?",
            {"yes": "Yes", "no": "No"},
            help="Asked for systems in an area of Annex III.",
        ),
        Question(
            "task",
            "Which of these describes its task in that area?",
            {
                "procedure": "A narrow procedural task",
                "improves": "It improves work that a person has finished",
                "patterns": "It finds patterns or deviations in past decisions for a person to review",
                "prepares": "It prepares a decision, without weighing on its outcome",
                NONE: "None of these",
            },
            help="Asked for systems in an area of Annex III. Article 6(3) exempts such tasks.",
        ),
        Question(
            "safety",
            "Is it a safety component of a regulated product?",
            {
                "yes": "Yes",
                "convenience": "No, it is for convenience alone, and its failure endangers nobody",
                "no": "No",
            },
            help="For example of a machine, a medical device, a toy or a vehicle. Article 6(1a) to (1c) of the"
            " EU AI Act exclude parts that only assist or optimize.",
        ),
        Question(
            "practices",
            "Does it do any of these?",
            {
                "a": "Manipulate people",
                "b": "Exploit an age, a disability or hardship",
                "ba": "Create or alter intimate pictures of real people without their consent",
                "bb": "Create or alter sexual material of children",
                "c": "Score people by their social behavior",
                "d": "Predict crimes from a person's profile alone",
                "e": "Collect faces from the internet or cameras for recognition",
                "f": "Read emotions at work or in education",
                "g": "Sort people by sensitive traits from biometrics",
                "h": "Identify people live in public places for the police",
                NONE: "None of these",
            },
            several=True,
            help="Practices that Article 5(1) of the EU AI Act prohibits, some with exceptions.",
        ),
        Question(
            "contact",
            "How do people encounter it?",
            {
                "talks": "They interact with it directly",
                "creates": "It creates text, images, audio or video",
                "senses": "It recognizes emotions or sorts people by biometrics",
                "deepfake": "It imitates real people, places or events",
                NONE: "None of these",
            },
            several=True,
            help="Article 50 of the EU AI Act asks for transparency about these.",
        ),
        Question(
            SAFEGUARDS,
            "Could it be made to produce intimate pictures without consent or sexual material of children, and do"
            " tested safeguards prevent it?",
            {
                NONE: "It can't produce such output",
                "tested": "It could, and tests show that safeguards prevent it",
                "untested": "It could, and safeguards aren't tested",
            },
            help="Asked for systems that create text, images, audio or video.",
        ),
        Question(
            "service",
            "Who provides the service that it is part of?",
            {
                "public": "A public body, or a private one on its behalf",
                "credit": "A lender, for creditworthiness",
                "insurance": "An insurer, for prices or risks of life or health insurance",
                NONE: "Somebody else",
            },
            help="Asked for systems in an area of Annex III.",
        ),
    )
}
IN_AN_AREA = ("profiles", "task", "service")  # Asked if the area is one of Annex III
SINCE_AMENDED = ("role", SAFEGUARDS)  # Not asked before the law of 2026


def cleaned(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the given answers without empty ones. Raises ValueError that names the question.

    "none" can't be combined with another choice.
    """
    found: dict[str, Any] = {}
    for key, question in QUESTIONS.items():
        value = given.get(key)
        if not value:
            continue
        values = list(dict.fromkeys(value)) if question.several else [value]
        if any(each not in question.choices for each in values) or (
            NONE in values and len(values) > 1
        ):
            raise ValueError(key)
        found[key] = sorted(values) if question.several else value
    return found


def unanswered(answers: Mapping[str, Any], *, asked_before: bool = False) -> list[str]:
    """Return the keys of the questions that these answers leave open, in order.

    With `asked_before`, use the questions from before the law of 2026.
    """
    not_asked: set[str] = set()
    if answers.get("area") not in ANNEX_III:
        not_asked |= set(IN_AN_AREA)
    if "creates" not in answers.get("contact", ()):
        not_asked.add(SAFEGUARDS)
    if asked_before:
        not_asked |= set(SINCE_AMENDED)
    return [key for key in QUESTIONS if key not in answers and key not in not_asked]


def answer_words(key: str, value: Any) -> str:
    """Return an answer as people read it, or empty text without one."""
    choices = QUESTIONS[key].choices
    values: Sequence[str] = value if isinstance(value, list) else [value] if value else []
    return ", ".join(
        label if n == 0 or _is_name(label) else label[0].lower() + label[1:]
        for n, label in enumerate(choices[each] for each in values if each in choices)
    )


def _is_name(label: str) -> bool:
    """Return True for a name, such as European Union, which keeps its capitals."""
    return " " in label and label.istitle()
