"""Files of models, from a hub to this machine's disk."""
