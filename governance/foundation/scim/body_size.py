"""How many bytes a SCIM request may hold; request_size.py loads the library, and this doesn't."""

MAX_BODY_BYTES = 2 * 1024 * 1024
