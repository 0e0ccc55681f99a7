"""What providers and clouds bill, and how it compares with computed cost."""
