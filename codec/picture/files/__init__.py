"""Picture files: which formats, their bytes in and out, and what they say outside of Pillow's samples."""
