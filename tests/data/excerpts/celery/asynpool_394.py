try:
    if reader.poll(0):
        task = reader.recv()
    else:
        task = None
        sleep(0.5)
except (OSError, EOFError):
    return remove(fd)
else:
    if task:
        on_state_change(task)
finally:
    try:
        setblocking(reader, 0)
    except OSError:
        return remove(fd)
