"""The arithmetic of unit economics: pure functions, each with its formula, units and source."""
