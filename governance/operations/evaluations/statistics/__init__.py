"""Pure statistics of evaluations, by SciPy and statsmodels.

Both libraries take more than 100 MB, so each function imports what it needs: only the worker that
judges a run loads them, never a process that serves pages.
"""
