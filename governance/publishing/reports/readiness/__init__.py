"""The SOC 2 readiness report: each criterion's controls, their proof, and what would close the gap.

snapshot    reads it once, as plain JSON       sentences    word it, from the snapshot alone
document    lays it out, with its attachments
"""
