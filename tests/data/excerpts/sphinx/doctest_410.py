if 'skipif' not in node:
    return False
else:
    condition = node['skipif']
    context: dict[str, Any] = {}
    if self.config.doctest_global_setup:
        exec(self.config.doctest_global_setup, context)  # NoQA: S102
    should_skip = eval(condition, context)  # NoQA: S307
    if self.config.doctest_global_cleanup:
        exec(self.config.doctest_global_cleanup, context)  # NoQA: S102
    return should_skip
