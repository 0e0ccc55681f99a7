"""Glossary terms of red teams."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Red team",
        "People who attack an AI system by rules during a window; what broke through stays open until a"
        " regression case proves the fix.",
        "red_team red_teams red_team_reports",
    ),
)
