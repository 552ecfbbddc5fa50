"""From an order to baits in place, and to their end."""
