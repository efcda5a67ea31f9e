"""How rules read code: what several of them ask of a syntax tree, one question a module."""
