"""The statistics of evaluations, by published vectors and by properties."""

import gc
import random
import subprocess
import sys

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import chi2, fisher_exact
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.inter_rater import cohens_kappa
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from governance.operations.evaluations.statistics.judges import (
    HumanLabels,
    agreement,
    corrected_rate,
)
from governance.operations.evaluations.statistics.means import mean_interval
from governance.operations.evaluations.statistics.multiplicity import (
    confidence_of_look,
    confidence_of_week,
    holm,
)
from governance.operations.evaluations.statistics.paired import (
    Direction,
    compare_clusters,
    compare_nets,
    compare_pairs,
    further_cases,
)
from governance.operations.evaluations.statistics.rates import joint_confidence, rate_interval
from governance.operations.evaluations.statistics.series import (
    WeekCount,
    WeekMean,
    change_points,
    least_p_value,
    mean_change_points,
    significance_of_series,
)
from governance.operations.evaluations.statistics.verdict import (
    Judgement,
    Threshold,
    Verdict,
    judge_mean,
    judge_percentile,
    judge_rate,
)
from tests.hypothesis_profiles import examples

AT_LEAST_90 = Threshold(0.9, at_least=True)
COUNTS = st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


# ---- one rate


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        (81, 263, "0.2553", "0.3662"),
        (15, 148, "0.0624", "0.1605"),
        (0, 20, "0.0000", "0.1611"),
        (1, 29, "0.0061", "0.1718"),
    ],
)
def test_wilson_gives_the_intervals_of_newcombe(successes, n, low, high):
    """Reproduce table I of Newcombe, 1998.

    "Two-sided confidence intervals for the single proportion".
    """
    interval = rate_interval(successes, n)
    assert (f"{interval.low:.4f}", f"{interval.high:.4f}") == (low, high)


@given(COUNTS)
@settings(max_examples=examples(60))
def test_an_interval_holds_its_rate_and_stays_within_0_and_1(count):
    successes, n = count
    interval = rate_interval(successes, n)
    assert 0 <= interval.low <= interval.rate <= interval.high <= 1
    wider = rate_interval(successes, n, 0.99)
    assert wider.low <= interval.low
    assert wider.high >= interval.high


@pytest.mark.parametrize(("successes", "n"), [(0, 0), (3, 2), (-1, 5)])
def test_a_count_that_is_no_rate_is_refused(successes, n):
    with pytest.raises(ValueError, match="sample"):
        rate_interval(successes, n)


def test_three_guardrails_at_a_joint_95_percent_need_98_305_each():
    assert f"{joint_confidence(3):.5f}" == "0.98305"
    assert joint_confidence(1) == 0.95
    with pytest.raises(ValueError, match="at least one"):
        joint_confidence(0)


# ---- two runs on the same cases


def test_three_better_and_fourteen_worse_of_200_is_worse():
    """Decide by the pairs: the unpaired intervals overlap, for example 97 to 86 of 200."""
    found = compare_pairs(200, better=3, worse=14)
    assert (f"{found.p_value:.4f}", found.direction) == ("0.0127", Direction.WORSE)
    points = [f"{100 * each:.1f}" for each in (found.difference, found.low, found.high)]
    assert points == ["-5.5", "-9.5", "-1.5"]
    before, after = rate_interval(170, 200), rate_interval(159, 200)
    assert before.low < after.high


def test_nine_of_nine_in_one_direction_decide():
    found = compare_pairs(9, better=9, worse=0)
    assert (f"{found.p_value:.4f}", found.direction) == ("0.0039", Direction.BETTER)


def test_ten_of_ten_against_eight_of_ten_is_undecided():
    assert compare_pairs(10, better=0, worse=2).direction is Direction.UNDECIDED


def test_runs_without_a_changed_case_are_undecided():
    found = compare_pairs(500, 0, 0)
    assert (found.p_value, found.direction) == (1.0, Direction.UNDECIDED)


@pytest.mark.parametrize("counts", [(5, 4, 2), (5, -1, 2), (-1, 0, 0)])
def test_more_changed_cases_than_cases_are_refused(counts):
    with pytest.raises(ValueError, match="of"):
        compare_pairs(*counts)


@given(st.integers(0, 400), st.integers(0, 400))
@settings(max_examples=examples(60))
def test_swapping_the_runs_swaps_the_direction(better, worse):
    there, back = compare_pairs(800, better, worse), compare_pairs(800, worse, better)
    assert there.p_value == pytest.approx(back.p_value)
    swapped = {Direction.BETTER: Direction.WORSE, Direction.WORSE: Direction.BETTER}
    assert back.direction is swapped.get(there.direction, Direction.UNDECIDED)


def test_cases_of_one_source_count_as_one_observation():
    """Ignore twelve changed cases of one document, which would decide as separate cases."""
    alone = compare_clusters(100, {f"case-{n}": (0, 1) for n in range(12)})
    together = compare_clusters(100, {"handbook.pdf": (0, 12)})
    assert (alone.direction, together.direction) == (Direction.WORSE, Direction.UNDECIDED)
    assert (alone.clusters, together.clusters, together.worse) == (12, 1, 12)
    assert alone.p_value == pytest.approx(compare_pairs(100, 0, 12).p_value)


def test_many_sources_are_compared_by_obuchowski():
    """Reproduce 39 ÷ 40 × (Σ net)² ÷ Σ net² = 39 ÷ 40 × 20² ÷ 40 = 9.75, one degree of freedom."""
    found = compare_clusters(1000, {f"d-{n}": (0, 1) if n < 30 else (1, 0) for n in range(40)})
    assert (f"{found.p_value:.5f}", found.direction) == ("0.00179", Direction.WORSE)


def test_sources_of_unequal_size_count_by_their_cases():
    """Reproduce R 4.5 by clust.bin.pair's "obuchowski": 13 ÷ 14 × 31² ÷ 201 = 4.4396, p = .0351.

    Its "durkalski" divides each net change by the cases of its source, (Σ d)² ÷ Σ d² = .033² ÷ .896,
    p = .97. That is the mean over sources, which fell while the share of all cases rose.
    """
    sizes = (2, 60, 40, 5, 60, 40, 40, 5, 60, 4, 5, 4, 4, 60)
    better = (0, 8, 6, 2, 11, 12, 5, 0, 12, 1, 1, 0, 0, 11)
    worse = (1, 5, 4, 1, 8, 4, 1, 3, 5, 0, 0, 1, 0, 5)
    changes = {f"source {n}": each for n, each in enumerate(zip(better, worse, strict=True))}
    found = compare_clusters(sum(sizes), changes)
    assert (found.sources, found.clusters, found.squares) == (14, 13, 201)
    assert (f"{found.p_value:.4f}", found.direction) == ("0.0351", Direction.BETTER)
    assert found.difference == 31 / 389
    over_sources = sum((b - w) / n for b, w, n in zip(better, worse, sizes, strict=True))
    assert f"{over_sources:.3f}" == "-0.033"


@given(st.lists(st.sampled_from([(1, 0), (0, 1)]), min_size=13, max_size=40), st.integers(0, 50))
@settings(max_examples=examples(20))
def test_sources_of_one_case_are_compared_by_mcnemar_less_one_source(changes, unchanged):
    found = compare_clusters(100, dict(enumerate([*changes, *[(0, 0)] * unchanged])))
    better = sum(each == (1, 0) for each in changes)
    table = [[0, better], [len(changes) - better, 0]]
    statistic = mcnemar(table, exact=False, correction=False).statistic
    sources = len(changes) + unchanged
    assert found.p_value == pytest.approx(chi2.sf(statistic * (sources - 1) / sources, 1))


# ---- many measures, weeks, looks


def test_holm_corrects_within_a_run():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx((0.03, 0.06, 0.06))
    assert holm([]) == ()


@given(st.integers(1, 2000), st.floats(0.5, 0.999))
def test_all_looks_together_err_at_most_1_645_times_as_often_as_the_first(looks, confidence):
    spent = sum(1 - confidence_of_look(look, confidence) for look in range(1, looks + 1))
    assert spent <= (1 - confidence) * 1.645


def test_the_first_look_has_no_penalty():
    assert confidence_of_look(1, 0.95) == pytest.approx(0.95)
    assert confidence_of_look(2, 0.95) == pytest.approx(0.9875)


def test_the_weeks_of_a_year_spend_its_budget():
    assert 52 * (1 - confidence_of_week(0.05)) == pytest.approx(0.05)
    with pytest.raises(ValueError, match="counted from 1"):
        confidence_of_look(0, 0.95)


# ---- verdicts


def test_only_a_whole_interval_above_the_threshold_passes():
    assert judge_rate(980, 1000, AT_LEAST_90).verdict is Verdict.PASS
    assert judge_rate(93, 100, AT_LEAST_90).verdict is Verdict.UNDECIDED
    assert judge_rate(70, 100, AT_LEAST_90).verdict is Verdict.FAIL


def test_zero_evaluated_samples_never_pass():
    assert judge_rate(0, 0, Threshold(0.0, at_least=True)) == Judgement(Verdict.UNDECIDED, 0)
    assert judge_mean(0, 0, 0, Threshold(1.0, at_least=False)).verdict is Verdict.UNDECIDED
    assert judge_percentile([], 95, Threshold(1.0, at_least=False)).verdict is Verdict.UNDECIDED


def test_no_failure_among_twenty_is_undecided_until_thirty_five():
    """Allow for 16% after 0 failures of 20, and for at most 10% after 0 of 35."""
    found = judge_rate(0, 20, Threshold(0.1, at_least=False))
    assert (found.verdict, found.more_samples) == (Verdict.UNDECIDED, 15)
    assert judge_rate(0, 35, Threshold(0.1, at_least=False)).verdict is Verdict.PASS
    assert judge_rate(0, 34, Threshold(0.1, at_least=False)).verdict is Verdict.UNDECIDED


def test_a_rate_on_its_threshold_is_decided_by_no_number_of_samples():
    found = judge_rate(90, 100, AT_LEAST_90)
    assert (found.verdict, found.more_samples) == (Verdict.UNDECIDED, None)


@given(COUNTS, st.floats(0.01, 0.99), st.booleans())
@settings(max_examples=examples(40), deadline=None)
def test_the_samples_asked_for_decide_and_one_fewer_does_not(count, limit, at_least):
    successes, n = count
    threshold = Threshold(limit, at_least)
    found = judge_rate(successes, n, threshold)
    if found.more_samples is None:
        return
    rate = successes / n

    def verdict_at(samples: int) -> Verdict:
        interval = rate_interval(rate * samples, samples)
        return threshold.judge(interval.low, interval.high)

    assert found.more_samples > 0
    assert verdict_at(n + found.more_samples) is not Verdict.UNDECIDED
    assert verdict_at(n + found.more_samples - 1) is Verdict.UNDECIDED


def test_a_mean_is_judged_by_students_interval():
    """Compute t(9, .975) = 2.2622: 1.00 ± 2.2622 × .20 ÷ √10 is .857 to 1.143."""
    interval = mean_interval(1.0, 0.2, 10)
    assert (f"{interval.low:.3f}", f"{interval.high:.3f}") == ("0.857", "1.143")
    assert judge_mean(1.0, 0.2, 10, Threshold(1.2, at_least=False)).verdict is Verdict.PASS
    assert judge_mean(1.0, 0.2, 10, Threshold(0.8, at_least=False)).verdict is Verdict.FAIL
    undecided = judge_mean(1.0, 0.2, 10, Threshold(1.1, at_least=False))
    assert undecided.verdict is Verdict.UNDECIDED
    more = 10 + undecided.more_samples
    assert judge_mean(1.0, 0.2, more, Threshold(1.1, at_least=False)).verdict is Verdict.PASS


def test_one_sample_has_no_spread():
    assert mean_interval(1.0, 0.0, 1) is None
    found = judge_mean(1.0, 0.0, 1, Threshold(2.0, at_least=False))
    assert (found.verdict, found.point) == (Verdict.UNDECIDED, 1.0)


@pytest.mark.parametrize(("mean", "deviation"), [(float("nan"), 1), (1, float("inf")), (1, -1)])
def test_a_mean_that_is_no_number_is_refused(mean, deviation):
    with pytest.raises(ValueError, match="finite"):
        mean_interval(mean, deviation, 10)


def test_a_percentile_is_judged_by_the_values_around_it():
    seconds = [n / 100 for n in range(1, 1001)]  # From 0.01 to 10.00 s; p95 is 9.50 s.
    found = judge_percentile(seconds, 95, Threshold(9.9, at_least=False))
    assert (found.verdict, found.point) == (Verdict.PASS, 9.5)
    assert 9.3 < found.low < 9.5 < found.high < 9.7
    assert judge_percentile(seconds, 95, Threshold(9.0, at_least=False)).verdict is Verdict.FAIL
    undecided = judge_percentile(seconds, 95, Threshold(9.55, at_least=False))
    assert undecided.verdict is Verdict.UNDECIDED
    assert undecided.more_samples > 1000


def test_a_few_values_say_nothing_about_how_slow_it_gets():
    found = judge_percentile([0.1, 0.2, 0.3], 95, Threshold(5.0, at_least=False))
    assert (found.verdict, found.high) == (Verdict.UNDECIDED, None)
    assert judge_percentile([7.0] * 20, 95, Threshold(5.0, at_least=False)).verdict is Verdict.FAIL


def test_the_interval_of_a_percentile_holds_it_as_often_as_it_says():
    """Simulate exponential latencies, whose p95 is −ln 0.05."""
    draw = random.Random(20260103)  # noqa: S311 - a simulation
    rounds, held = 400, 0
    for _ in range(rounds):
        values = sorted(draw.expovariate(1) for _ in range(300))
        found = judge_percentile(values, 95, Threshold(100.0, at_least=False))
        held += found.low <= 2.9957 <= (found.high or 1e9)
    assert held / rounds > 0.93


# ---- judges


def test_kappa_of_the_textbook_table():
    found = agreement(HumanLabels(both_yes=20, only_people=5, only_judge=10, both_no=15))
    assert (f"{found.kappa:.2f}", found.n) == ("0.40", 50)
    assert (f"{found.low:.3f}", f"{found.high:.3f}") == ("0.151", "0.649")


@given(*[st.integers(0, 400)] * 4)
@settings(max_examples=examples(60))
def test_kappa_is_that_of_statsmodels(both_yes, only_people, only_judge, both_no):
    found = agreement(HumanLabels(both_yes, only_people, only_judge, both_no))
    assume(found is not None and only_people + only_judge)  # Identical answers give no error.
    expected = cohens_kappa([[both_yes, only_people], [only_judge, both_no]])
    bounds = max(expected.kappa_low, -1), min(expected.kappa_upp, 1)
    assert (found.kappa, found.low, found.high) == pytest.approx((expected.kappa, *bounds))


def test_a_judge_that_always_agrees_with_itself_has_no_kappa():
    assert agreement(HumanLabels(10, 0, 5, 0)) is None
    assert agreement(HumanLabels(0, 0, 0, 0)) is None
    assert agreement(HumanLabels(10, 0, 0, 10)).kappa == pytest.approx(1.0)


def test_the_rate_is_corrected_by_rogan_and_gladen():
    """Compute (.15 + .95 − 1) ÷ (.90 + .95 − 1) = .1176."""
    found = corrected_rate(150, 1000, HumanLabels(90, 10, 5, 95))
    assert f"{found.rate:.4f}" == "0.1176"
    assert found.low < found.rate < found.high


@pytest.mark.parametrize(
    "labels", [HumanLabels(50, 50, 50, 50), HumanLabels(10, 90, 20, 80), HumanLabels(9, 1, 0, 0)]
)
def test_a_judge_no_better_than_a_coin_corrects_nothing(labels):
    assert corrected_rate(10, 100, labels) is None


def test_the_corrected_interval_holds_the_true_rate_as_often_as_it_says():
    """Simulate a true rate of 12%, sensitivity 90%, specificity 95%."""
    draw = random.Random(20260101)  # noqa: S311 - a simulation

    def hits(chance: float, n: int) -> int:
        return sum(draw.random() < chance for _ in range(n))

    rounds, held = 300, 0
    for _ in range(rounds):
        found_yes = hits(0.12 * 0.90 + 0.88 * 0.05, 400)
        yes, no = hits(0.90, 100), hits(0.95, 100)
        found = corrected_rate(found_yes, 400, HumanLabels(yes, 100 - yes, 100 - no, no))
        held += found is not None and found.low <= 0.12 <= found.high
    assert held / rounds > 0.92


# ---- series


def test_a_fall_from_95_to_80_percent_is_found_at_its_week():
    weeks = [WeekCount(95, 100)] * 10 + [WeekCount(80, 100)] * 5
    (found,) = change_points(weeks)
    assert (found.index, found.before, found.after) == (10, 0.95, 0.8)


def test_weeks_without_samples_move_no_change_point():
    weeks = [WeekCount(95, 100)] * 5 + [WeekCount(0, 0)] * 3 + [WeekCount(70, 100)] * 5
    assert [each.index for each in change_points(weeks)] == [8]
    assert change_points([]) == ()
    assert change_points([WeekCount(0, 0)] * 4) == ()


def test_two_changes_are_found_in_order():
    weeks = [WeekCount(95, 100)] * 8 + [WeekCount(75, 100)] * 8 + [WeekCount(96, 100)] * 8
    assert [each.index for each in change_points(weeks)] == [8, 16]


def test_noise_alone_raises_few_alarms():
    """Raise an alarm in at most 5% of 200 series of 26 weeks whose rate never changes."""
    draw = random.Random(20260102)  # noqa: S311 - a simulation
    alarms = 0
    for _ in range(200):
        weeks = [WeekCount(sum(draw.random() < 0.9 for _ in range(60)), 60) for _ in range(26)]
        alarms += bool(change_points(weeks))
    assert alarms / 200 <= 0.05


@given(COUNTS, COUNTS)
@settings(max_examples=examples(40))
def test_the_bound_that_spares_the_exact_test_is_never_above_it(left, right):
    (a, n), (b, m) = left, right
    exact = fisher_exact([[a, n - a], [b, m - b]])[1]
    assert least_p_value(a, n, a + b, n + m) <= exact


def test_a_mean_that_moves_by_more_than_its_spread_is_a_change():
    weeks = [WeekMean(0.030, 0.01, 1200)] * 10 + [WeekMean(0.033, 0.01, 1200)] * 4
    (found,) = mean_change_points(weeks)
    assert found.index == 10
    assert [round(each, 3) for each in (found.before, found.after)] == [0.03, 0.033]
    assert mean_change_points([WeekMean(0.030, 0.01, 12), WeekMean(0.033, 0.01, 12)] * 5) == ()


def test_weeks_without_samples_move_no_change_of_a_mean():
    weeks = [WeekMean(1, 0, 50)] * 3 + [WeekMean(0, 0, 0)] * 2 + [WeekMean(2, 0, 50)] * 3
    assert [(each.index, each.p_value) for each in mean_change_points(weeks)] == [(5, 0.0)]
    assert mean_change_points([]) == ()
    assert mean_change_points([WeekMean(1, 0, 50)] * 5) == ()


def test_the_measures_of_a_page_divide_one_false_alarm_budget():
    """Show a change on at most 5% of 100 pages of 8 measures that never change."""
    assert significance_of_series(8) == 0.05 / 8
    assert significance_of_series(0) == 0.05
    draw = random.Random(20261127)  # noqa: S311 - a simulation
    alarms = 0
    for _page in range(100):
        pages = [
            [WeekCount(sum(draw.random() < 0.9 for _ in range(40)), 40) for _ in range(26)]
            for _ in range(8)
        ]
        alarms += any(change_points(each, significance_of_series(8)) for each in pages)
    assert alarms / 100 <= 0.05


def test_nothing_heavy_is_loaded_until_a_figure_is_asked_for():
    names = ("judges", "means", "multiplicity", "paired", "rates", "series", "verdict")
    imports = "; ".join(
        f"import governance.operations.evaluations.statistics.{name}" for name in names
    )
    code = f"import sys; {imports}; print(sorted({{'scipy', 'statsmodels', 'pandas'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# ---- comparison of two runs


@given(st.integers(1, 10**7), st.floats(0, 1), st.floats(0.5, 0.9999))
@settings(max_examples=examples(80))
def test_wilson_is_that_of_statsmodels(n, share, confidence):
    found = rate_interval(share * n, n, confidence)
    low, high = proportion_confint(share * n, n, alpha=1 - confidence, method="wilson")
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-9, abs=1e-12)


def test_rates_are_judged_without_what_loads_slowly():
    code = (
        "import sys; from governance.operations.evaluations.statistics import verdict as v;"
        "v.judge_rate(390, 400, v.Threshold(0.97, at_least=True));"
        "print(sorted({'numpy', 'scipy', 'statsmodels', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.fixture
def frozen_heap():
    """Freeze the heap: statsmodels collects garbage in each call, over all loaded objects."""
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("frozen_heap")
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
@settings(max_examples=examples(40))
def test_holm_is_that_of_statsmodels(p_values):
    expected = multipletests(p_values, method="holm")[1]
    assert holm(p_values) == pytest.approx(list(expected))


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=30))
@settings(max_examples=examples(40))
def test_sums_of_the_database_compare_as_the_sources_do(counts):
    sources = {f"source {n}": each for n, each in enumerate(counts)}
    nets = [better - worse for better, worse in counts if better != worse]
    better, worse = (sum(each[n] for each in counts) for n in (0, 1))
    found = compare_nets(
        300,
        better,
        worse,
        nets[:12],
        clusters=len(nets),
        squares=sum(net * net for net in nets),
        sources=len(sources),
    )
    expected = compare_clusters(300, sources)
    assert found.clusters == expected.clusters
    assert found.p_value == pytest.approx(expected.p_value)
    assert (found.difference, found.low) == pytest.approx((expected.difference, expected.low))


@pytest.mark.parametrize(("cases", "better", "worse"), [(10, 0, 2), (200, 9, 14), (60, 1, 4)])
def test_the_further_cases_decide_and_fewer_do_not(cases, better, worse):
    found = compare_pairs(cases, better, worse)
    more = further_cases(found)
    factor = 2 * (cases + more) / cases
    doubled = compare_pairs(2 * (cases + more), round(better * factor), round(worse * factor))
    assert doubled.direction is Direction.WORSE
    half = (cases + more // 2) / cases
    fewer = compare_pairs(cases + more // 2, int(better * half), int(worse * half))
    assert fewer.direction is Direction.UNDECIDED


@pytest.mark.parametrize(("better", "worse"), [(0, 0), (4, 4)])
def test_no_number_of_cases_decides_where_as_many_got_better_as_worse(better, worse):
    assert further_cases(compare_pairs(100, better, worse)) is None
