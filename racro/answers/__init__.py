"""The short final answer in the text of a reasoner, and the formula that it may be."""
