"""How shared cost is allocated to tenants: versioned rules, approved by two people."""
