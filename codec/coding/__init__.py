"""The heart: from samples to a file and back."""
