"""Pure statistics of evaluations, some with SciPy.

SciPy takes a second and tens of MB to load, so each function imports what it needs. A rate, a kappa
and Holm's correction take only a few lines, so they are implemented here; the tests compare them
with statsmodels.
"""
