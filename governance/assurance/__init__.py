"""What is asked of a company and how it shows that it holds: frameworks, controls, evidence,
testing, engagements.
"""
