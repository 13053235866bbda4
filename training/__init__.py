"""How the shipped classifier was made: `python -m training.train`. Never part of the product."""
