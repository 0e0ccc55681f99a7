"""The demo's identity provider: real OpenID Connect on loopback, several issuers in one process.

Authorization code flow with PKCE S256 only. A person of one issuer doesn't exist in another.

directory              who may sign in, and the connected applications
provider               the protocol without HTTP; token_store keeps what it remembers
authorization_request  reads and checks a request
endpoints, pages       HTTP
serving, __main__      sockets and the command line
"""

from governance.demo.idp.directory import PEOPLE, Client, Person
from governance.demo.idp.endpoints import Idp
from governance.demo.idp.serving import (
    NotLocal,
    RunningProvider,
    base_of,
    configuration,
    create_idp,
    listen,
    rotate_keys,
    serve,
)

__all__ = [
    "PEOPLE",
    "Client",
    "Idp",
    "NotLocal",
    "Person",
    "RunningProvider",
    "base_of",
    "configuration",
    "create_idp",
    "listen",
    "rotate_keys",
    "serve",
]
