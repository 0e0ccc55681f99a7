"""Files of evaluation tools, read as a stream: facts of the run, then a record per case.

Every reader takes bytes and yields RunFacts once, first, and then CaseRecord and ReportedMeasure.
It keeps no text of prompts or answers. It raises FileRefused with the place and the reason.
"""
