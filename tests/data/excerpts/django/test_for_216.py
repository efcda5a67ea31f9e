if self.engine.string_if_invalid:
    self.assertEqual(output, "one:1,carrot/two:2,cheese/")
else:
    self.assertEqual(output, "one:1,carrot/two:2,cheese/")
