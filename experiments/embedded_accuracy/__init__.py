"""How right the embedded default is: held-out questions, held-out drawings, and their tables."""
