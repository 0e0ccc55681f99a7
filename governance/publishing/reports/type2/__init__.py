"""The Type II evidence matrix: occurrences expected by month, tests, and outcomes of exceptions.

snapshot    reads it once, as plain JSON       sentences    word it, from the snapshot alone
document    lays it out, with its attachments
"""
