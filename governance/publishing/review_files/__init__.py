"""Files of a unit-economics review: signed PDF, workbook with live formulas, data file."""
