"""The SOC 2 readiness report: for each criterion what answers it, what proves that, and what would
close the gap.

snapshot    reads it once, as plain JSON       sentences    says it, from the snapshot alone
document    lays it out, with its attachments
"""
