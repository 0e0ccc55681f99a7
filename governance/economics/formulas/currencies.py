"""The currencies of ISO 4217 in use as money, with the number of decimals of each.

Funds, metals and test codes (XAU, XDR, XTS …) are excluded: they aren't means of payment.
"""

from typing import Final

_TWO_DECIMALS = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY
COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF
IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR
MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG
SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES
WST XCD XCG YER ZAR ZMW ZWG
"""
_NO_DECIMALS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_THREE_DECIMALS = "BHD IQD JOD KWD LYD OMR TND"

DECIMALS: Final = {
    code: decimals
    for codes, decimals in ((_TWO_DECIMALS, 2), (_NO_DECIMALS, 0), (_THREE_DECIMALS, 3))
    for code in codes.split()
}
SIGNS: Final = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥"}
FREQUENT: Final = ("EUR", "USD", "GBP", "CHF", "SEK", "NOK", "DKK", "PLN", "JPY")


def is_currency(code: str) -> bool:
    """Return whether `code` is an ISO 4217 currency: "EUR" is; "eur" and "€" aren't."""
    return code in DECIMALS


def choices() -> list[str]:
    """Return all currency codes for a form: frequent ones first, then alphabetically."""
    return [*FREQUENT, *sorted(DECIMALS.keys() - set(FREQUENT))]
