"""The progress bar of tqdm: widgets in a notebook that has them, else lines of text, without a warning."""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # tqdm says in a notebook without ipywidgets that it writes text
    from tqdm.auto import tqdm

__all__ = ["tqdm"]
