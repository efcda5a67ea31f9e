"""One file for each way of gathering what a model is told."""
