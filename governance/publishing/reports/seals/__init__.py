"""Seals: PAdES signatures in report PDFs, the certificates that make them, and signed copies.

Pages: views.py. What the tenant decides: actions.py. The child that writes a signature: pades.py.
"""
