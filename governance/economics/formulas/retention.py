"""Retention of revenue and accounts: ARPA, churn, GRR, NRR and the quick ratio.

Source: design/economics.md §4. Movements are changes of monthly recurring revenue (MRR) in one
period, of one or twelve months. An account that is won and lost in the same period has no movement,
since it pays neither at the start nor at the end.
"""

from dataclasses import dataclass
from decimal import Decimal

from governance.economics.formulas.estimates import Estimate, NotEstimable, ratio

NO_MRR = "no MRR at the start"
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Movements:
    """MRR at the start of a period and its movements, each as a positive amount."""

    start: Decimal
    new: Decimal = ZERO
    expansion: Decimal = ZERO
    contraction: Decimal = ZERO
    churn: Decimal = ZERO
    reactivation: Decimal = ZERO

    @property
    def end(self) -> Decimal:
        """MRR at the end of the period."""
        won = self.new + self.expansion + self.reactivation
        return self.start + won - self.contraction - self.churn


def arpa(mrr: Decimal, paying_accounts: int) -> Estimate:
    """Return ARPA = MRR ÷ paying accounts, in money per month."""
    return ratio(mrr, paying_accounts, otherwise="no paying accounts")


def logo_churn(accounts_at_start: int, lost: int) -> Estimate:
    """Return lost accounts ÷ accounts at the start, as a share of the period.

    `lost` counts accounts that paid at the start and don't at the end.
    """
    if lost > accounts_at_start:
        return NotEstimable("more accounts lost than there were at the start")
    return ratio(lost, accounts_at_start, otherwise="no accounts at the start")


def gross_retention(movements: Movements) -> Estimate:
    """Return GRR = (start − contraction − churn) ÷ start, as a share."""
    kept = movements.start - movements.contraction - movements.churn
    return ratio(kept, movements.start, otherwise=NO_MRR)


def net_retention(movements: Movements) -> Estimate:
    """Return NRR = (start + expansion − contraction − churn) ÷ start, as a share.

    Reactivation is excluded: an account that comes back was lost before the period started.
    """
    kept = movements.start + movements.expansion - movements.contraction - movements.churn
    return ratio(kept, movements.start, otherwise=NO_MRR)


def net_retention_with_reactivation(movements: Movements) -> Estimate:
    """Return (start + expansion + reactivation − contraction − churn) ÷ start, as a share."""
    kept = movements.end - movements.new
    return ratio(kept, movements.start, otherwise=NO_MRR)


def quick_ratio(movements: Movements) -> Estimate:
    """Return (new + expansion) ÷ (contraction + churn): MRR won per unit of MRR lost."""
    lost = movements.contraction + movements.churn
    return ratio(movements.new + movements.expansion, lost, otherwise="no MRR lost")
