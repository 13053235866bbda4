"""Strict fakes of the four clouds: real little servers that refuse what the services refuse."""
