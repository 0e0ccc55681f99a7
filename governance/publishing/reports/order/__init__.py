"""The order proof: each step of a conclusion in the order of the audit log, and its author.

reading.py freezes it, chains.py judges exceptions, section.py lays out the page, and check.py
verifies offline.
"""
