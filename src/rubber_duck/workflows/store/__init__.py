"""The tables of durable work, and the only SQL of this slice."""
