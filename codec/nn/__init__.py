"""The codec in PyTorch, for training and for `effort`."""
