"""The demo's identity provider: real OpenID Connect on loopback, several issuers in one process.

It supports the authorization code flow with PKCE S256 only. A person of one issuer doesn't
exist in another.

directory              the people who may sign in, and the connected applications
provider               the protocol without HTTP; token_store stores its state
authorization_request  reads and checks a request
endpoints, pages       HTTP
serving, __main__      sockets and the command line
"""
