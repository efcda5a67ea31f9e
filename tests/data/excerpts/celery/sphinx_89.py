if isinstance(obj, BaseTask) and getattr(obj, '__wrapped__'):
    if skip:
        return False
