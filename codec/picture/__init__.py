"""Pictures, in and out, by Pillow."""
