"""The columns of FOCUS 1.0 to 1.4 Cost and Usage files, and the detection of a file's version.

Facts of the FinOps Foundation's FOCUS data model (CC BY 4.0): ids, types, levels, null rules and
allowed values. FOCUS files don't state their version, so it is derived from the columns.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple


class FocusColumn(NamedTuple):
    """A column: `kind` is text, number, instant or json; `since` is the version that added it."""

    name: str
    kind: str
    level: str  # mandatory, conditional or recommended
    allows_null: bool
    since: str


_COLUMNS = """
AllocatedMethodDetails json recommended null 1.3
AllocatedMethodId text conditional null 1.3
AllocatedResourceId text conditional null 1.3
AllocatedResourceName text conditional null 1.3
AllocatedTags json conditional null 1.3
AvailabilityZone text recommended null 1.0
BilledCost number mandatory value 1.0
BillingAccountId text mandatory value 1.0
BillingAccountName text mandatory null 1.0
BillingAccountType text conditional value 1.2
BillingCurrency text mandatory value 1.0
BillingPeriodEnd instant mandatory value 1.0
BillingPeriodStart instant mandatory value 1.0
CapacityReservationId text conditional null 1.1
CapacityReservationStatus text conditional null 1.1
ChargeCategory text mandatory value 1.0
ChargeClass text mandatory null 1.0
ChargeDescription text mandatory null 1.0
ChargeFrequency text recommended value 1.0
ChargePeriodEnd instant mandatory value 1.0
ChargePeriodStart instant mandatory value 1.0
CommitmentDiscountCategory text conditional null 1.0
CommitmentDiscountId text conditional null 1.0
CommitmentDiscountName text conditional null 1.0
CommitmentDiscountQuantity number conditional null 1.1
CommitmentDiscountStatus text conditional null 1.0
CommitmentDiscountType text conditional null 1.0
CommitmentDiscountUnit text conditional null 1.1
CommitmentProgramEligibilityDetails json conditional null 1.4
ConsumedQuantity number conditional null 1.0
ConsumedUnit text conditional null 1.0
ContractApplied json conditional null 1.3
ContractedCost number mandatory value 1.0
ContractedUnitPrice number conditional null 1.0
EffectiveCost number mandatory value 1.0
HostProviderName text mandatory null 1.3
InvoiceDetailId text conditional null 1.4
InvoiceId text conditional null 1.2
InvoiceIssuerName text mandatory value 1.0
ListCost number mandatory value 1.0
ListUnitPrice number conditional null 1.0
PricingCategory text conditional null 1.0
PricingCurrency text conditional value 1.2
PricingCurrencyContractedUnitPrice number conditional null 1.2
PricingCurrencyEffectiveCost number conditional value 1.2
PricingCurrencyListUnitPrice number conditional null 1.2
PricingQuantity number mandatory null 1.0
PricingUnit text mandatory null 1.0
ProviderName text mandatory value 1.0
PublisherName text mandatory value 1.0
RegionId text conditional null 1.0
RegionName text conditional null 1.0
ResourceId text conditional null 1.0
ResourceName text conditional null 1.0
ResourceType text conditional null 1.0
ServiceCategory text mandatory value 1.0
ServiceName text mandatory value 1.0
ServiceProviderName text mandatory value 1.3
ServiceSubcategory text recommended value 1.1
SkuId text conditional null 1.0
SkuMeter text conditional null 1.1
SkuPriceDetails json conditional null 1.1
SkuPriceId text conditional null 1.0
SubAccountId text conditional null 1.0
SubAccountName text conditional null 1.0
SubAccountType text conditional null 1.2
Tags json conditional null 1.0
"""

COLUMNS: dict[str, FocusColumn] = {
    name: FocusColumn(name, kind, level, null == "null", since)
    for name, kind, level, null, since in (line.split() for line in _COLUMNS.split("\n") if line)
}
ALLOWED: dict[str, tuple[str, ...]] = {
    "CapacityReservationStatus": ("Used", "Unused"),
    "ChargeCategory": ("Usage", "Purchase", "Tax", "Credit", "Adjustment"),
    "ChargeClass": ("Correction",),
    "ChargeFrequency": ("One-Time", "Recurring", "Usage-Based"),
    "CommitmentDiscountCategory": ("Spend", "Usage"),
    "CommitmentDiscountStatus": ("Used", "Unused"),
    "PricingCategory": ("Standard", "Dynamic", "Committed", "Other"),
    "ServiceCategory": (
        "AI and Machine Learning",
        "Analytics",
        "Business Applications",
        "Compute",
        "Databases",
        "Developer Tools",
        "Multicloud",
        "Identity",
        "Integration",
        "Internet of Things",
        "Management and Governance",
        "Media",
        "Migration",
        "Mobile",
        "Networking",
        "Security",
        "Storage",
        "Web",
        "Other",
    ),
}
VERSIONS = ("1.0", "1.1", "1.2", "1.3", "1.4")
# 1.3 added the service provider and the host provider; 1.4 dropped the two older names.
OLD_NAMES = ("ProviderName", "PublisherName")
NEW_NAMES = ("ServiceProviderName", "HostProviderName")
# A figure depends on these: a row is rejected if one of them is missing or can't be read.
NEEDED = (
    "BilledCost",
    "EffectiveCost",
    "BillingCurrency",
    "BillingPeriodStart",
    "BillingPeriodEnd",
    "ChargePeriodStart",
    "ChargePeriodEnd",
    "ChargeCategory",
    "ServiceName",
)
OPTIONAL_COSTS = ("ListCost", "ContractedCost")  # the official sample leaves some empty


def version_of(names: Collection[str]) -> str:
    """Return the FOCUS version that has these columns, such as "1.2".

    It is the newest version that added one of the columns. A file with the provider's new name and
    without its old one is at least 1.4, which dropped the old one.
    """
    newest = max((COLUMNS[name].since for name in names if name in COLUMNS), default="1.0")
    if "ServiceProviderName" in names and "ProviderName" not in names:
        return max(newest, "1.4")
    return newest


def missing_needed(names: Collection[str]) -> list[str]:
    """Return the missing columns without which no figure can be computed."""
    missing = [name for name in NEEDED if name not in names]
    if not {"ProviderName", "ServiceProviderName"} & set(names):
        missing.append("ServiceProviderName")
    return missing


def missing_mandatory(names: Collection[str], version: str) -> list[str]:
    """Return the other columns that this version requires and the file lacks."""
    return [
        column.name
        for column in COLUMNS.values()
        if column.level == "mandatory"
        and column.name not in names
        and column.name not in (*NEEDED, *OLD_NAMES, *NEW_NAMES)
        and column.since <= version
    ]


def stray(names: Sequence[str]) -> list[str]:
    """Return the columns that are neither FOCUS nor custom (`x_…`) columns. They are ignored."""
    return [name for name in names if name not in COLUMNS and not name.startswith("x_")]
