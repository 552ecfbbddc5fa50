"""Taking in what reporters and people bring."""
