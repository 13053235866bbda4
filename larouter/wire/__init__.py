"""JSON formats: one file each, both directions, pure."""
