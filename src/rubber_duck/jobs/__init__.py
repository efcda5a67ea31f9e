"""Workflows of the product, one file each."""
