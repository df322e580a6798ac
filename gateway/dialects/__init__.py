"""What clients speak: a file for each way of asking."""
