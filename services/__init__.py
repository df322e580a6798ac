"""The model services: captioner and reasoner."""
