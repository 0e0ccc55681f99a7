"""The policy attestation report: the policy, who decided it, and how the switches performed.

snapshot    reads it once, as plain JSON       sentences    word it, from the snapshot alone
document    lays it out, with its attachments
"""
