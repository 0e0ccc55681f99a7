"""How the bench prints what it measured."""

type Row = tuple[str, float, str, float | None, str]  # what, value, unit, ratio, the goal


def print_rows(rows: list[Row]) -> None:
    """At once: what was measured stays on the screen whatever the next section meets."""
    print(f"\n{'':<62}{'median':>12}{'ratio':>8}  goal")
    for what, value, unit, ratio, goal in rows:
        print(
            f"{what:<62}{value:>9.2f} {unit:<5}{'' if ratio is None else f'{ratio:.2f}':>5}  {goal}",
            flush=True,
        )
