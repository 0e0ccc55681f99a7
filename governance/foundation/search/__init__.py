"""Search over every object that the reader may open."""
