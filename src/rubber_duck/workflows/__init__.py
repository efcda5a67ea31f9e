"""Durable work: workflows, jobs and schedules that survive a kill."""
