"""The cost of and revenue from AI: usage, prices, costs, revenue, allocation, reviews."""
