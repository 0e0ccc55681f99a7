"""Monthly SLA statements: closing, credits, disputes, claims."""
