"""Caption Reward Optimization (arXiv 2506.04559): captioners learn from a reasoner's success."""
