"""What providers charge for models, and what usage cost at those prices."""
