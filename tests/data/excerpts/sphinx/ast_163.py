if self.rooted:
    unreachable = 'Can this happen?'
    raise AssertionError(unreachable)  # TODO: Can this happen?
    signode += nodes.Text('.')
