"""What the duck may do to a project: each thing is one file, asks for a right, and says how it is undone."""
