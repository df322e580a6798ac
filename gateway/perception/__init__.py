"""Images to visual contexts: the cache before the captioner, one call for all who ask the same."""
