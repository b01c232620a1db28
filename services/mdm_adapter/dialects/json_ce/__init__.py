"""CloudEvents in JSON: one order, report or answer per message, master data under the names of BO4E."""
