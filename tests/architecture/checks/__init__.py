"""What keeps the code in shape: each check takes a folder laid out like the repository and returns its breaches."""
