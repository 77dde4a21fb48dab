"""Quality measures of maps and codes."""
