"""The table in which the bench prints its measurements."""

type Row = tuple[str, float, str, float | None, str]  # (name, value, unit, ratio, goal)


def print_rows(rows: list[Row]) -> None:
    """Print rows immediately, so that a later failure can't lose them."""
    print(f"\n{'':<62}{'median':>12}{'ratio':>8}  goal")
    for what, value, unit, ratio, goal in rows:
        print(
            f"{what:<62}{value:>9.2f} {unit:<5}{'' if ratio is None else f'{ratio:.2f}':>5}  {goal}",
            flush=True,
        )
