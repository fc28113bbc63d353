"""The steps: each takes one claimed row one step further and writes down what happened."""
