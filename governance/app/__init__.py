"""Composition: the list of features, the factory, the shell around every page, refusals, the
command line, the schedule.
"""
