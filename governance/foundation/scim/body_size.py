"""The maximum size of a SCIM request. Unlike request_size.py, it doesn't load the library."""

MAX_BODY_BYTES = 2 * 1024 * 1024
