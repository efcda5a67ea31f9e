"""Predict: a completion model trained on the code of this project alone."""
