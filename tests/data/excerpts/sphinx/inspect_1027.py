if ispartial(obj) and doc == obj.__class__.__doc__:
    return getdoc(obj.func)
elif doc is None and allow_inherited:
    if cls and name:
        # Check a docstring of the attribute or method from super classes.
        for basecls in getmro(cls):
            meth = safe_getattr(basecls, name, None)
            if meth is not None:
                doc = _getdoc_internal(meth)
                if doc is not None:
                    break

        if doc is None:
            # retry using `inspect.getdoc()`
            for basecls in getmro(cls):
                meth = safe_getattr(basecls, name, None)
                if meth is not None:
                    doc = inspect.getdoc(meth)
                    if doc is not None:
                        break

    if doc is None:
        doc = inspect.getdoc(obj)
