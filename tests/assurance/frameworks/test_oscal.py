"""Parameters of an OSCAL catalog, resolved as OSCAL shows them or rejected with their place."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.assurance.frameworks.oscal import (
    MAX_INSERT_DEPTH,
    Parameters,
    UnresolvedParameter,
    read_catalog,
)
from governance.assurance.frameworks.parsing import MAX_FILE_BYTES
from governance.assurance.frameworks.publisher_file import ImportRefused, PublisherFile


def insert(name: str) -> str:
    return f"{{{{ insert: param, {name} }}}}"


def control(ref: str, *parts: dict, **more: object) -> dict:
    return {
        "id": ref.lower(),
        "title": "Invented",
        "props": [{"name": "label", "value": ref}],
        "parts": list(parts),
    } | more


def statement(prose: str, **more: object) -> dict:
    return {"id": "x_smt", "name": "statement", "prose": prose} | more


def read(*controls: dict, **catalog: object) -> PublisherFile:
    return read_catalog(
        {"catalog": {"metadata": {"title": "Invented"}, "controls": list(controls)} | catalog}
    )


def shown(*params: dict, text: str = insert("p")) -> str:
    return Parameters(list(params)).resolve(text)


def why(*params: dict, text: str = insert("p")) -> str:
    with pytest.raises(UnresolvedParameter) as caught:
        shown(*params, text=text)
    return str(caught.value)


# ---- parameters


@pytest.mark.parametrize(
    ("param", "expected"),
    [
        ({"label": "time period"}, "[Assignment: time period]"),
        ({"label": "time period", "values": ["30 days"]}, "30 days"),
        ({"values": ["admins", "owners"]}, "admins, owners"),
        ({"select": {"choice": ["lock", "delay"]}}, "[Selection (one): lock; delay]"),
        (
            {"select": {"how-many": "one", "choice": ["lock", "delay"]}},
            "[Selection (one): lock; delay]",
        ),
        (
            {"select": {"how-many": "one-or-more", "choice": ["a", "b"]}},
            "[Selection (one or more): a; b]",
        ),
        ({"label": "action", "select": {"choice": ["a"]}}, "[Selection (one): a]"),
        ({"label": "action", "select": {"how-many": "one"}}, "[Assignment: action]"),
        ({"values": ["lock"], "select": {"choice": ["lock", "delay"]}}, "lock"),
        (
            {
                "label": "frequency",
                "constraints": [{"description": "at least yearly"}, {"tests": []}],
            },
            "[Assignment: frequency, constrained to: at least yearly]",
        ),
    ],
)
def test_values_come_before_choices_and_choices_before_the_label(param, expected):
    assert shown({"id": "p"} | param) == expected


def test_inserts_in_choices_and_labels_are_resolved_too():
    params = (
        {
            "id": "p",
            "select": {"how-many": "one-or-more", "choice": [f"after {insert('q')}", "never"]},
        },
        {"id": "q", "label": "number of days"},
    )
    assert shown(*params) == "[Selection (one or more): after [Assignment: number of days]; never]"


@pytest.mark.parametrize(
    "written", ["{{insert:param,p}}", "{{ insert: param, p }}", "{{  insert:  param,  p  }}"]
)
def test_white_space_in_an_insert_does_not_matter(written):
    assert shown({"id": "p", "label": "x"}, text=f"a {written} b") == "a [Assignment: x] b"


# ---- rejected input


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ([], "the file does not define parameter p"),
        ([{"id": "p"}], "parameter p has no value, choice or label"),
        ([{"id": "p", "label": insert("p")}], "parameter p inserts itself"),
        (
            [{"id": "p", "label": insert("q")}, {"id": "q", "label": insert("p")}],
            "parameter p inserts itself",
        ),
        ([{"id": "p", "label": insert("q")}], "the file does not define parameter q"),
        (
            [{"id": "p", "label": "x"}, {"id": "p", "label": "y"}],
            "the file defines parameter p more than once, differently",
        ),
    ],
)
def test_a_parameter_that_cannot_be_resolved_is_named(params, reason):
    assert why(*params) == reason


def test_a_parameter_defined_twice_alike_is_one():
    assert shown({"id": "p", "label": "x"}, {"id": "p", "label": "x"}) == "[Assignment: x]"


def test_a_text_is_refused_with_its_part_and_the_others_are_read():
    file = read(
        control(
            "AB-1",
            statement(
                "Do it.",
                parts=[{"id": "ab-1_smt.a", "name": "item", "prose": f"Within {insert('gone')}."}],
            ),
        ),
        control("AB-2", statement("Do this.")),
    )
    first, second = file.texts
    assert (
        first.refused == "in part ab-1_smt.a, the file does not define parameter gone"
        and first.text == ""
    )
    assert (second.text, second.refused) == ("Do this.", "")


@pytest.mark.parametrize(
    "written", ["{{ ab-1_prm_1 }}", "{{ insert: control, ab-1 }}", "{{ insert: param, }}", "{{"]
)
def test_any_other_placeholder_refuses_the_text(written):
    (text,) = read(
        control(
            "AB-1", statement(f"Within {written}."), params=[{"id": "ab-1_prm_1", "label": "x"}]
        )
    ).texts
    assert text.text == "" and "a placeholder without a value" in text.refused


def test_a_chain_of_inserts_has_a_limit():
    chain = [{"id": f"p{n}", "label": insert(f"p{n + 1}")} for n in range(MAX_INSERT_DEPTH)]
    last = {"id": f"p{MAX_INSERT_DEPTH}", "label": "end"}
    with pytest.raises(ImportRefused, match=f"more than {MAX_INSERT_DEPTH} levels deep"):
        shown(*chain, last, text=insert("p0"))
    assert "end" in shown(*chain, last, text=insert("p1"))


def test_parameters_that_multiply_are_refused_before_they_fill_the_memory():
    bomb = [
        {"id": f"p{n}", "select": {"choice": [insert(f"p{n + 1}")] * 50}}
        for n in range(MAX_INSERT_DEPTH - 1)
    ]
    end = {"id": f"p{MAX_INSERT_DEPTH - 1}", "label": "x" * 100}
    with pytest.raises(ImportRefused, match=f"insert more than {MAX_FILE_BYTES // 1_000_000} MB"):
        shown(*bomb, end, text=insert("p0"))


# ---- the tree


def test_parameters_of_the_catalog_a_group_and_a_control_are_all_known():
    inner = control(
        "AB-1", statement(" ".join(map(insert, "cgk"))), params=[{"id": "k", "label": "control"}]
    )
    groups = [
        {
            "id": "o",
            "groups": [{"id": "i", "params": [{"id": "g", "label": "group"}], "controls": [inner]}],
        }
    ]
    (text,) = read(groups=groups, params=[{"id": "c", "label": "catalog"}]).texts
    assert text.text == "[Assignment: catalog] [Assignment: group] [Assignment: control]"


def test_controls_in_controls_and_in_groups_of_groups_are_read():
    outer = control("AB-1", statement("Outer."), controls=[control("AB-1(1)", statement("Inner."))])
    groups = [
        {
            "id": "o",
            "title": "Outer",
            "groups": [{"id": "i", "title": "Inner", "controls": [outer]}],
        }
    ]
    assert [each.text for each in read(groups=groups).texts] == ["Outer.", "Inner."]


def test_items_keep_their_labels_in_order():
    items = [
        {
            "name": "item",
            "props": [
                {"name": "label", "value": "AB-01a", "class": "other"},
                {"name": "label", "value": "a."},
            ],
            "prose": "First:",
            "parts": [
                {"name": "item", "props": [{"name": "label", "value": "1."}], "prose": "Deep."}
            ],
        },
        {"name": "item", "prose": "Without a label."},
    ]
    (text,) = read(control("AB-1", statement("Do:", parts=items))).texts
    assert text.text == "Do:\n\na. First:\n\n1. Deep.\n\nWithout a label."


def test_a_link_within_the_file_becomes_its_words_and_other_markup_stays():
    prose = (
        r"See [AB-2](#ab-2), [AB[1]](#x) and [the site](https://a.example/#b), *soon*, \[not\](a"
        r" link)."
    )
    (text,) = read(control("AB-1", statement(prose))).texts
    assert (
        text.text
        == r"See AB-2, AB[1] and [the site](https://a.example/#b), *soon*, \[not\](a link)."
    )


def test_guidance_is_kept_apart_from_the_statement():
    file = read(control("AB-1", statement("Do it."), {"name": "guidance", "prose": "Because."}))
    assert [(each.kind, each.text) for each in file.texts] == [
        ("statement", "Do it."),
        ("about", "Because."),
    ]


def test_withdrawn_controls_and_other_parts_are_left_out_and_counted():
    gone = control(
        "AB-2",
        statement("Old."),
        props=[{"name": "label", "value": "AB-2"}, {"name": "status", "value": "Withdrawn"}],
    )
    file = read(
        control("AB-1", statement("Do it."), {"name": "assessment-method", "prose": "Ask."}), gone
    )
    assert [each.text for each in file.texts] == ["Do it."]
    assert file.problems == (
        "Withdrawn controls are left out (1): AB-2.",
        "Not imported: the parts assessment-method (1).",
    )


def test_ids_are_written_as_the_plain_label_then_as_anything_else():
    props = [
        {"name": "label", "value": "AB-01", "class": "zero-padded"},
        {"name": "label", "value": "AB-1"},
    ]
    (text,) = read(control("AB-1", statement("Do it."), props=props)).texts
    assert text.spellings == ("AB-1", "AB-01", "ab-1", "Invented")


pieces = st.sampled_from(
    [
        "Do ",
        "{",
        "}",
        "{{",
        "}}",
        "{{ ",
        " }}",
        "insert:",
        " param,",
        " p",
        "q",
        "\\",
        "[a](#b)",
        "[",
        "](#",
    ]
    + [insert(each) for each in ("p", "q", "r", "gone")]
)
proses = st.lists(pieces, max_size=12).map("".join)


@given(
    proses,
    st.lists(
        st.tuples(st.sampled_from("pqr"), proses, st.sampled_from(["label", "values", "choice"])),
        max_size=5,
    ),
)
def test_no_text_with_a_placeholder_ever_gets_in(prose, params):
    made = [
        (
            {"id": name, "select": {"choice": [text]}}
            if how == "choice"
            else {"id": name, how: text if how == "label" else [text]}
        )
        for name, text, how in params
    ]
    file = read(control("AB-1", statement(prose), params=made))
    json.dumps([each.text for each in file.texts])
    assert not any("{{" in each.text or (each.refused and each.text) for each in file.texts)
