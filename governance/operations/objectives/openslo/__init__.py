"""OpenSLO v1 in and out: a file is parsed, planned, previewed, then imported whole or not at all.

yaml_text, fields, parser    a file to values, with each refused field    writer    values to a file
mapping      what an OpenSLO objective is in Meridian, and the other way round
plan         what a file would change        actions    imports it        export    writes objectives
"""
