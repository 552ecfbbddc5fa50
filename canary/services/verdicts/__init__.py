"""From sightings to an attribution: worlds, parameters, versions."""
