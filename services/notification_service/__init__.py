"""Everything that leaves the hub towards a person, and everything a customer sends back."""
