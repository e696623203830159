"""The two protocols on the speed-dating evenings."""
