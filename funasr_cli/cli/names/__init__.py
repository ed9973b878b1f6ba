"""What people type -> the options that a command has: spellings, booleans, names of other tools."""
