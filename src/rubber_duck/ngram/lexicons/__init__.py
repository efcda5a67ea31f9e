"""How each family of languages splits into lexical tokens; one module a family."""
