"""Permissions, keys and signatures, and calls to other hosts with their deadline."""
