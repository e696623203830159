"""The program as a module: `python -m recsys.cli`."""

from recsys.cli import app

if __name__ == "__main__":
    app()
