"""The reasoner service: an OpenAI chat API over one engine. It never sees an image."""
