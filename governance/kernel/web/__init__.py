"""Requests and their answers: routes with their permission, the server, limits, identity, health."""
