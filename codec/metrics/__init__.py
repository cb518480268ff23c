"""What codecs are measured by: fidelity of pictures, and rates at equal fidelity."""
