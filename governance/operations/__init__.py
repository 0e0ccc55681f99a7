"""The AI systems and what governs them while they run: policies, switches, decisions."""
