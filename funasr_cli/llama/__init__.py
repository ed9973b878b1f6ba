"""llama.cpp through ctypes: find, recognise, declare, own."""
