"""The Type II evidence matrix: what was expected month by month, what was tested, and what came of
each exception.

snapshot    reads it once, as plain JSON       sentences    says it, from the snapshot alone
document    lays it out, with its attachments
"""
