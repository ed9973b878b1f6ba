"""How fast is it? Models of random weights, and what is measured on them."""
