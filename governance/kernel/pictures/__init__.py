"""Charts and drawings as SVG, and PDF with its tags, scripts and fonts."""
