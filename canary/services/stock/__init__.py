"""What the team brings: sources, phones, number ranges."""
