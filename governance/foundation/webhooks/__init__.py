"""Signed webhooks to a tenant's own systems, with retries and a dead letter queue."""
