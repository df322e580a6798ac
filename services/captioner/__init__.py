"""The captioner service: images and a question in, caption and tentative response out."""
