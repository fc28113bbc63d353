"""Figures beside peers: one module per goal, run by `python -m bench`. No part of the product."""
