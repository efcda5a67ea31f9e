"""Who people are on a server: users, their keys, their roles, and a record of every change."""
