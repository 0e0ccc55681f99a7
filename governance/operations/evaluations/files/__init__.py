"""Files of evaluation tools, read as a stream: what a run was, then one record for each case.

Every reader takes bytes and yields RunFacts once, first, and then CaseRecord and ReportedMeasure. It keeps no
text of prompts or answers. It raises FileRefused with the place and the reason.
"""
