"""The command line: parse, validate, call the library, print."""
