"""What each fact does that we hear: one total table (lifecycle §2.4), and an effect for every row."""
