if ret and not inspect.isattributedescriptor(self.object):
    self.non_data_descriptor = True
else:
    self.non_data_descriptor = False
