"""`python -m milter` is `lurewall`."""

from milter.cli import main

if __name__ == "__main__":
    main()
