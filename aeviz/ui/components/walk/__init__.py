"""The page Walk."""
