try:
    res = eval(node['expr'], ns)  # NoQA: S307
except Exception as err:
    # handle exceptions in a clean fashion
    from traceback import format_exception_only

    msg = ''.join(format_exception_only(err.__class__, err))
    newnode = doctree.reporter.error(
        f'Exception occurred in ifconfig expression: \n{msg}', base_node=node
    )
    node.replace_self(newnode)
else:
    if not res:
        node.replace_self([])
    else:
        node.replace_self(node.children)
