"""How the small captioner is made: pictures drawn by this script, learnt by SFT, then by CRO."""
