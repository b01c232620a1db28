"""Every device, its one place, how it got there, and what its registers said when it was exchanged."""
