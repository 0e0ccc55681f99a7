"""Glossary terms of Type II testing."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Exception",
        "A sampled item that failed its test or can't be tested, with management's response.",
        "test.exception",
    ),
    Term(
        "Finding",
        "A weakness that testing found in a control, open until it is remediated and retested.",
        "finding",
    ),
    Term(
        "Population",
        "The full list of occurrences of a control in a period, frozen before a sample is drawn"
        " from it.",
        "population",
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
)
