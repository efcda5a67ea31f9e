try:
    lexer = guess_lexer(node.rawsource)
    return isinstance(lexer, PythonConsoleLexer)
except Exception:
    pass
