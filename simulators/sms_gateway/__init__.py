"""The SMS vendor and its customers' phones: speaks the profile `seven`, does what its script says, forgets nothing."""
