"""How much a SCIM request may hold."""

MAX_BODY_BYTES = 2 * 1024 * 1024
