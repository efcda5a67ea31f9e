"""Commands about this machine's installation: they may open the application, and work when it cannot be opened."""
