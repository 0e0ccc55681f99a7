"""Charts of a review as SVG, drawn with kernel/pictures/drawing.py. Pure.

waterfall(facts, title)          revenue to contribution, in thousands
task_lines(headlines, title)     cost per completed task by AI system, in cents
life_value(segment, ceiling)     LTV ÷ CAC with its interval
causes(checked, title)           the residual by cause
days(checked, title)             the residual by day
margins(tenant, reach)           a tenant's margin under each rule
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial

from markupsafe import Markup

from governance.economics.reviews import figures
from governance.economics.reviews.conclusions import GOOD, ratio
from governance.economics.reviews.facts.review_facts import (
    Headline,
    Reconciliation,
    ReviewFacts,
    SegmentMonth,
    TenantMonth,
)
from governance.kernel.pictures import charts, drawing
from governance.kernel.pictures.charts import Series, WaterfallStep

THOUSAND = Decimal(1000)
VISIBLE = Decimal("0.0005")  # of revenue; a smaller step is only in the table
MAX_LINES = 4
CAUSE_WIDTH, CAUSE_ROW, NAME_WIDTH = 360, 22, 130
DAY_WIDTH, DAY_HEIGHT = 700, 128
RANGE_WIDTH, RANGE_HEIGHT = 160, 16
STANDS_OUT = 3  # times the median day
LETTER_WIDTH = 6.5  # average, of a label


def steps(facts: ReviewFacts) -> list[tuple[str, Decimal, bool]]:
    """Return (label, amount, is total) for each step of the waterfall, in order."""
    w = facts.waterfall
    changes = [
        ("Models", -w.costs.models),
        ("Guardrails", -w.costs.guardrails),
        ("Infrastructure", -w.costs.infrastructure),
        ("Support", -w.costs.support),
        ("Residual", -w.residual),
        ("Residue", -w.residue),
    ]
    shown = [
        (label, amount, False)
        for label, amount in changes
        if amount or label not in {"Residual", "Residue"}
    ]
    return [
        ("Revenue", w.revenue, True),
        *shown,
        ("Gross margin", w.gross_margin, True),
        ("Acquisition", -w.acquisition, False),
        ("Contribution", w.contribution, True),
    ]


def waterfall(facts: ReviewFacts, title: str) -> Markup:
    revenue = facts.waterfall.revenue
    return charts.waterfall(
        [
            WaterfallStep(
                label,
                float(amount / THOUSAND),
                total=is_total and place > 0,
                kind="f2" if label == "Guardrails" else "f4",
                note=figures.percent(abs(amount) / revenue) if revenue and place else "",
            )
            for place, (label, amount, is_total) in enumerate(_drawn_steps(facts))
        ],
        title,
        width=700,
        height=230,
    )


def _drawn_steps(facts: ReviewFacts) -> list[tuple[str, Decimal, bool]]:
    """Return the steps without a residual or residue too small to see."""
    least = abs(facts.waterfall.revenue) * VISIBLE
    return [
        each
        for each in steps(facts)
        if each[0] not in {"Residual", "Residue"} or abs(each[1]) >= least
    ]


def drawn_systems(headlines: Sequence[Headline]) -> list[tuple[str, str]]:
    """Return (tenant, AI system) of each line: those with the most expensive tasks this month."""
    tasks = sorted(headlines[-1].tasks, key=lambda each: -each.per_task) if headlines else []
    return [(each.tenant, each.system) for each in tasks[:MAX_LINES]]


def task_lines(headlines: Sequence[Headline], title: str) -> Markup:
    by_month = [
        {(each.tenant, each.system): each.per_task for each in month.tasks} for month in headlines
    ]
    series = [
        Series(
            key[1],
            [
                None if (found := month.get(key)) is None else float(found * 100)
                for month in by_month
            ],
        )
        for key in drawn_systems(headlines)
    ]
    labels = [figures.short_month(each.month) for each in headlines]
    return charts.lines(series, labels, title, width=460, height=220)


def life_value(segment: SegmentMonth, ceiling: Decimal) -> Markup | None:
    """Draw a dot with its interval. Returns None if LTV ÷ CAC isn't estimable."""
    of = ratio(segment)
    if of is None or segment.ltv_low is None or segment.ltv_high is None or not segment.cac:
        return None
    low, high = segment.ltv_low / segment.cac, segment.ltv_high / segment.cac
    title = f"{segment.name}: LTV is {figures.times(of)} times CAC"
    return charts.interval(
        float(low),
        float(of),
        float(high),
        title,
        ceiling=float(ceiling),
        limit=float(GOOD),
        weak=of < GOOD,
    )


def life_value_ceiling(segments: Sequence[SegmentMonth]) -> Decimal:
    """Return the upper end of the scale that all segments share."""
    highs = [each.ltv_high / each.cac for each in segments if each.ltv_high and each.cac]
    return max([*highs, GOOD + 1])


# ---- reconciliation


def causes(checked: Reconciliation, currency: str, title: str) -> Markup:
    """Draw a bar for each cause, the largest first. Unexplained is orange-brown."""
    ordered = sorted(checked.causes, key=lambda each: -abs(each.amount))
    most = max([abs(each.amount) for each in ordered], default=Decimal(1)) or Decimal(1)
    room = Decimal(CAUSE_WIDTH - NAME_WIDTH - 100)
    write = partial(figures.scaled_money, currency=currency, whole=checked.invoiced)
    body: list[Markup] = []
    for place, each in enumerate(ordered):
        y = place * CAUSE_ROW
        wide = float(max(abs(each.amount) / most * room, Decimal(1)))
        kind = "f2" if each.name == "unexplained" else "mid"
        share = each.amount / checked.residual if checked.residual else None
        body += [
            drawing.label(0, y + 13, figures.capital(each.name), "lab2"),
            drawing.bar(NAME_WIDTH, y + 3, wide, 13, kind),
            drawing.label(NAME_WIDTH + wide + 7, y + 13, write(each.amount), "lab", weight=600),
            drawing.label(
                CAUSE_WIDTH,
                y + 13,
                figures.percent(share, Decimal(1)) if share is not None else "",
                "tick",
                anchor="end",
            ),
        ]
    said = ", ".join(f"{each.name} {write(each.amount)}" for each in ordered)
    return drawing.svg(CAUSE_WIDTH, max(len(ordered), 1) * CAUSE_ROW, title, said, body)


def days(checked: Reconciliation, currency: str, title: str) -> Markup:
    """Draw a bar for each day, downwards if computed cost exceeds the invoice."""
    amounts = [each.amount for each in checked.days]
    high, low = max([*amounts, Decimal(0)]), min([*amounts, Decimal(0)])
    reach = float(high - low) or 1.0
    top, room = 22.0, DAY_HEIGHT - 44.0
    write = partial(figures.scaled_money, currency=currency, whole=checked.invoiced)
    zero = top + float(high) / reach * room
    slot = DAY_WIDTH / max(len(amounts), 1)
    usual = sorted(map(abs, amounts))[len(amounts) // 2] if amounts else Decimal(0)
    labelled = _labels(checked, usual, slot, write)
    body = [drawing.element("path", "axis", d=f"M0 {drawing.coordinate(zero)}H{DAY_WIDTH}")]
    for place, each in enumerate(checked.days):
        tall = abs(float(each.amount)) / reach * room
        is_far = abs(each.amount) > usual * STANDS_OUT and each.amount != 0
        x, y = slot * place + slot * 0.14, zero - tall if each.amount > 0 else zero
        body.append(drawing.bar(x, y, slot * 0.72, max(tall, 0.5), "f2" if is_far else "mid"))
        if place in labelled:
            above = y - 6 if each.amount > 0 else y + tall + 12
            anchor, at = labelled[place]
            words = write(each.amount)
            body.append(drawing.label(at, above, words, "lab", anchor=anchor, weight=600))
        number = int(each.day[-2:]) if each.day else 0
        if not each.day:
            body.append(drawing.label(DAY_WIDTH, DAY_HEIGHT - 4, "month", "tick", anchor="end"))
        elif number == 1 or number % 5 == 0:
            middle = slot * (place + 0.5)
            body.append(drawing.label(middle, DAY_HEIGHT - 4, str(number), "tick", anchor="middle"))
    said = ", ".join(f"{figures.day_name(each.day)} {write(each.amount)}" for each in checked.days)
    return drawing.svg(DAY_WIDTH, DAY_HEIGHT, title, said, body)


def _labels(
    checked: Reconciliation, usual: Decimal, slot: float, write: Callable[[Decimal], str]
) -> dict[int, tuple[str, float]]:
    """Return anchor and x for labels of the days that stand out, the largest first.

    Labels that would overlap a larger day's label are omitted.
    """
    found: dict[int, tuple[str, float]] = {}
    taken: list[tuple[float, float]] = []
    amounts = [each.amount for each in checked.days]
    for place in sorted(range(len(amounts)), key=lambda day: -abs(amounts[day])):
        if abs(amounts[place]) <= usual * STANDS_OUT or not amounts[place]:
            continue
        anchor, at = _label_place(checked, place, usual, slot)
        wide = len(write(amounts[place])) * LETTER_WIDTH
        start = at - {"start": 0.0, "middle": wide / 2, "end": wide}[anchor]
        if all(start + wide <= low or start >= high for low, high in taken):
            found[place] = (anchor, at)
            taken.append((start, start + wide))
    return found


def _label_place(
    checked: Reconciliation, place: int, usual: Decimal, slot: float
) -> tuple[str, float]:
    """Return anchor and x of a day's label, away from a neighbor that has a label too."""

    def is_far(day: int) -> bool:
        known = 0 <= day < len(checked.days)
        return known and abs(checked.days[day].amount) > usual * STANDS_OUT

    if is_far(place + 1) and not is_far(place - 1):
        return "end", slot * (place + 0.86)
    if is_far(place - 1) and not is_far(place + 1):
        return "start", slot * (place + 0.14)
    return "middle", slot * (place + 0.5)


def margins(tenant: TenantMonth, reach: tuple[Decimal, Decimal], in_force: str) -> Markup:
    """Draw the tenant's margin under each rule on one line; the dot in force is filled."""
    low, high = reach
    span = float(high - low) or 1.0

    def x(amount: Decimal) -> float:
        return 6 + float(amount - low) / span * (RANGE_WIDTH - 12)

    middle, others = RANGE_HEIGHT / 2, list(tenant.margin_by_driver.values())
    zero = drawing.coordinate(x(Decimal(0)))
    body = [
        drawing.element("path", "grid", d=f"M6 {middle}H{RANGE_WIDTH - 6}"),
        drawing.element("path", "sink", d=f"M{zero} 1V{RANGE_HEIGHT - 1}", stroke_width=1.2),
        *(
            drawing.element("circle", "s4", cx=x(each), cy=middle, r=3, fill="none")
            for each in others
        ),
        drawing.element(
            "circle", "bad" if tenant.margin < 0 else "f1", cx=x(tenant.margin), cy=middle, r=4
        ),
    ]
    said = ", ".join(f"{rule} {each:,.0f}" for rule, each in tenant.margin_by_driver.items())
    title = f"{tenant.name}: margin {tenant.margin:,.0f} {in_force}"
    return drawing.svg(RANGE_WIDTH, RANGE_HEIGHT, title, said, body, inline=True, extra="c-w160")


def reach_of(tenants: Sequence[TenantMonth]) -> tuple[Decimal, Decimal]:
    """Return the lowest and the highest margin of all tenants under any rule, including zero."""
    all_of_them = [
        each for tenant in tenants for each in (tenant.margin, *tenant.margin_by_driver.values())
    ]
    return min([*all_of_them, Decimal(0)]), max([*all_of_them, Decimal(0)])
