try:
    with open(filename, 'rb') as f:
        old_doctree = pickle.load(f)
except OSError:
    pass
