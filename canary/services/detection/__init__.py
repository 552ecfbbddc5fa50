"""From a stored post to matches, sightings and incidents."""
