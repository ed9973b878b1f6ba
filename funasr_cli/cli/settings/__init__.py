"""Values of options from files, profiles and variables, each with its origin."""
