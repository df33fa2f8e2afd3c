"""`tutelage plan`: what a run would take at a size and on machines that nobody has yet, from what a small run took."""
