"""The glossary: the terms of the trade, as Meridian uses them."""
