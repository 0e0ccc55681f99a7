"""Who may do what, keys and signatures, and calls to other hosts with their deadline."""
