"""The services of the hub: each owns its part of a rollout and talks to the others over topics only."""
