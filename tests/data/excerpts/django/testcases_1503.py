try:
    yield callbacks
finally:
    while True:
        callback_count = len(connections[using].run_on_commit)
        for _, callback, robust in connections[using].run_on_commit[
            start_count:
        ]:
            callbacks.append(callback)
            if execute:
                if robust:
                    try:
                        callback()
                    except Exception as e:
                        logger.error(
                            f"Error calling {callback.__qualname__} in "
                            f"on_commit() (%s).",
                            e,
                            exc_info=True,
                        )
                else:
                    callback()

        if callback_count == len(connections[using].run_on_commit):
            break
        start_count = callback_count
