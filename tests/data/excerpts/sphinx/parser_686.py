if outer:
    if outer not in {'type', 'member', 'function'}:
        raise Exception('Internal error, unknown outer "%s".' % outer)
