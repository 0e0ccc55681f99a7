"""How templates call macros and functions, with less of Jinja's own work around each call.

A page calls some thousand macros. Jinja asks of each whether it wants the context, the environment
or the way of escaping passed; here that is asked only of what isn't a macro, a cached macro, a
function or a method. All of our templates with macros are HTML, so what a macro returns is Markup.

A page prints some hundred values. Each is escaped, as Jinja does; but what is printed at once needn't
be Markup, which takes three times as long to make as the text.
"""

from functools import lru_cache
from types import FunctionType, MethodType
from typing import Any

from jinja2 import Environment
from jinja2.compiler import CodeGenerator, Frame
from jinja2.runtime import Context, Macro, Undefined
from markupsafe import Markup, _escape_inner, escape  # type: ignore[attr-defined]  # private

CACHED = type(lru_cache(len))
PLAIN = frozenset({FunctionType, MethodType})


class PageContext(Context):
    """Jinja's context, for `environment.context_class`."""

    def call(self, thing: Any, /, *args: Any, **kwargs: Any) -> Any:
        kind = type(thing)
        if kwargs:
            if kind in PLAIN and hasattr(thing, "jinja_pass_arg"):
                return super().call(thing, *args, **kwargs)
            kwargs.pop("_loop_vars", None)
            kwargs.pop("_block_vars", None)
        if kind is Macro:
            if (
                not kwargs
                and len(args) == thing._argument_count  # noqa: SLF001 - as Jinja's
                and not (thing.caller or thing.catch_kwargs or thing.catch_varargs)
            ):
                return thing._invoke(list(args), True)  # noqa: SLF001 - as Jinja does
            return thing(*args, **kwargs)
        if kind is CACHED or (kind in PLAIN and not hasattr(thing, "jinja_pass_arg")):
            return thing(*args, **kwargs)
        return super().call(thing, *args, **kwargs)


class Unprintable(Undefined):
    """A name that a template doesn't know: it may be asked for, but printing it is an error.

    Jinja's own prints nothing, so a wrong name would leave a blank place that nobody notices.
    """

    __slots__ = ()
    __str__ = Undefined._fail_with_undefined_error  # noqa: SLF001 - as Jinja's StrictUndefined


def printed(value: Any) -> str:
    """Return a value as a page prints it."""
    kind = type(value)
    if kind is str:
        text: str = _escape_inner(value)
        return text
    return value if kind is Markup else escape(value)


class PageCode(CodeGenerator):
    """Jinja's, for `environment.code_generator_class`; `install` sees to both."""

    @staticmethod
    def install(environment: Environment) -> None:
        environment.code_generator_class = PageCode
        vars(environment)["printed"] = printed

    def _output_child_pre(self, node: Any, frame: Frame, finalize: Any) -> None:
        if frame.eval_ctx.autoescape and not frame.eval_ctx.volatile and finalize.src is None:
            self.write("environment.printed(")
        else:
            super()._output_child_pre(node, frame, finalize)
