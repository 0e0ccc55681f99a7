"""Service level agreements: versions, commitments, credit bands, acceptance."""
