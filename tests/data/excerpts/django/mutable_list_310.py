if i < origLen:
    if i < start or i >= stop:
        yield self._get_single_internal(i)
