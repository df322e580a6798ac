"""Images as clients send them: limits, formats, and addresses that are fetched."""
