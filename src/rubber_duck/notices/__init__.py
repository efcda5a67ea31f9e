"""What people are told though they did not ask: kept for them, and sent the ways that each of them chose."""
