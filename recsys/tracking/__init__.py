"""What a night used, reached and made, kept so that nights can be compared.

mlflow is imported here alone, when a tracker is first used. `recsys.tracking.tracker` says what a
tracker is, `mlflow_tracker` is the one that keeps things, `registry` holds models by version, and
`promotion` decides which of them is the champion.
"""
