"""Order proof: each step of a conclusion in the order of the audit log, and who did it.

What is frozen: reading.py. What counts as an exception: chains.py. The page: section.py. Offline:
check.py.
"""
