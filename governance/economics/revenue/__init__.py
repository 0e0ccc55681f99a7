"""What customers pay: subscriptions, invoices, and what it took to win and to support them."""
