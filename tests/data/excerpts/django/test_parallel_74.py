def setUpClass(cls):
    raise ValueError("woops")
    super().setUpClass()
