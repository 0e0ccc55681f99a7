"""OpenSLO v1 import and export: a file is parsed, planned, previewed, then imported atomically.

yaml_text, fields, parser    a file to values, with each rejected field   writer    values to a file
mapping      OpenSLO objectives to Meridian's, and back
plan         the changes of a file        actions    imports it        export    writes objectives
"""
