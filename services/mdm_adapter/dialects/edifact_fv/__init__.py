"""EDIFACT of the German market (WiM): strict syntax, envelope, check templates by format version."""
