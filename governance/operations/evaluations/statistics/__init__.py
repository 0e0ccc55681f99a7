"""Pure statistics of evaluations, some by SciPy.

It takes a second and tens of MB to load, so each function imports what it needs, and what a few
lines do is done here: a rate, a kappa and Holm's correction, which the tests hold against
statsmodels.
"""
