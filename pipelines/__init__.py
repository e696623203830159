"""The stages of a night for DVC, one a file; what each does is in `recsys.batch`."""
