"""Files of the operator: read, previewed, then applied whole or not at all."""
