"""Finding pictures that are alike in a folder of .aez files."""
