"""The prices of models, and the cost of usage at those prices."""
