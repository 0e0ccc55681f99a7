"""Everything that leaves the installation, and the first page: reports and the overview."""
