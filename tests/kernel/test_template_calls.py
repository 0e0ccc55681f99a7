"""What a page prints is escaped as Jinja and markupsafe do it, whatever kind of value it is."""

from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment, StrictUndefined, UndefinedError
from markupsafe import Markup, escape

from governance.kernel.template_calls import PageCode, PageContext, Unprintable, printed


class Shouted(str):
    """Text of a kind of its own."""

    __slots__ = ()


class Bold:
    """Something that says itself how it looks in HTML."""

    def __html__(self) -> str:
        return "<b>bold</b>"


VALUES = st.one_of(
    st.text(alphabet="<>&\"'ab é"),
    st.text(alphabet="<&a").map(Shouted),
    st.text(alphabet="<&a").map(Markup),
    st.integers(),
    st.none(),
    st.just(Bold()),
    st.lists(st.text(alphabet="<&a"), max_size=2),
)
SOURCE = "<p title=\"{{ value }}\">{{ value }}{{ '<i>' ~ value }}{{ value|string }}</p>"


def page_environment() -> Environment:
    found = Environment(autoescape=True, undefined=Unprintable)
    found.context_class = PageContext
    PageCode.install(found)
    return found


OURS, JINJAS = page_environment(), Environment(autoescape=True, undefined=StrictUndefined)


@given(VALUES)
def test_a_value_is_printed_as_markupsafe_escapes_it(value):
    assert printed(value) == str(escape(value))
    assert OURS.from_string(SOURCE).render(value=value) == JINJAS.from_string(SOURCE).render(
        value=value
    )


def test_what_is_marked_as_safe_alone_is_printed_as_it_is():
    source = "{{ value|safe }}{{ value }}{% autoescape false %}{{ value }}{% endautoescape %}"
    assert OURS.from_string(source).render(value="<i>") == "<i>&lt;i&gt;<i>"


def test_a_name_that_a_template_does_not_know_is_an_error():
    for environment in (OURS, JINJAS):
        try:
            environment.from_string("{{ nobody }}").render()
        except UndefinedError as error:
            assert "nobody" in str(error)
        else:
            raise AssertionError("it printed a blank")
