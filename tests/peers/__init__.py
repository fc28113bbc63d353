"""Our client against published servers of others: real routes, with a stand-in for the GPU."""
