"""What leaves the house, and the first page: reports and the overview."""
