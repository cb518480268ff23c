"""Training and export of aez models. PyTorch is needed here and nowhere else (`pip install aez[train]`)."""
