"""The nightly batch: stages, checkpoints, executors, gates, publications, history, doctor."""
