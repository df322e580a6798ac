"""Caption Reward Optimization (arXiv 2506.04559): a captioner learns from its reasoner's success."""
