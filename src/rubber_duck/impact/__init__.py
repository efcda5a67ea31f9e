"""What a change touches, how risky that is, and which tests say whether it still works."""
