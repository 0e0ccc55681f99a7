"""The policy attestation report: what was in force, who decided it, and how the switches obeyed.

snapshot    reads it once, as plain JSON       sentences    says it, from the snapshot alone
document    lays it out, with its attachments
"""
