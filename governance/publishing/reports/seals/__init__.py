"""Seals: PAdES signatures in report PDFs, the certificates behind them, and signed copies.

The pages are in views.py, the tenant's choices in actions.py, and the signing child in pades.py.
"""
