"""The name of this installation, connected once at the start: its logs and signing key have it."""

from governance.kernel.ports import Port

domain: Port[str] = Port("the domain name of this installation", default="console.example")
