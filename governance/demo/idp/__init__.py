"""The demo's identity provider: real OpenID Connect on loopback, several issuers in one process.

Authorization code flow with PKCE S256 only. A person of one issuer doesn't exist in another.

directory              who may sign in, and the connected applications
provider               the protocol without HTTP; token_store keeps what it remembers
authorization_request  reads and checks a request
endpoints, pages       HTTP
serving, __main__      sockets and the command line
"""
