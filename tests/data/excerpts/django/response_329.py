try:
    closer()
except Exception:
    pass
