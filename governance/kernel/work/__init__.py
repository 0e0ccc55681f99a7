"""Work after a request or in its transaction: jobs, generated files, mail, events, the inbox."""
