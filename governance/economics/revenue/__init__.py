"""Customer revenue: subscriptions and invoices, with the cost of acquisition and support."""
