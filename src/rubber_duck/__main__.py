"""`python -m rubber_duck` is `duck`."""

from rubber_duck.cli.main import main

if __name__ == "__main__":
    main()
