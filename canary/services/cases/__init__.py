"""What people do with incidents: find, handle, decide, undo."""
