try:
    exp = pickle.load(f)
except EOFError:
    exp = 0  # An empty file is considered expired.
