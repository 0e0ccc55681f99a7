"""The offboarding of a tenant: all of its data is deleted, and a signed certificate states it."""
