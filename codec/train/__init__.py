"""Training of aez models, for which PyTorch is needed (`pip install aez[train]`)."""
