"""What each page of the dashboard shows, as finished values."""
