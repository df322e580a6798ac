"""From images to visual contexts, with a cache and single flight in front of the captioner."""
