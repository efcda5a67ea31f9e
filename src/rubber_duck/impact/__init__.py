"""What a change touches, and which tests tell."""
