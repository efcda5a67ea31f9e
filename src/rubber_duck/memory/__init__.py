"""What was learnt of people and projects: interactions, summaries, preferences, style, facts."""
