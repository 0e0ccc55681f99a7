"""The AI systems and their controls at run time: policies, switches, decisions."""
