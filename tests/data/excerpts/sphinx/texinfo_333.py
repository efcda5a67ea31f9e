for id, entries in node_menus.items():
    for i, id in enumerate(entries):
        # First child's prev is empty
        if i != 0:
            rellinks[id][1] = entries[i - 1]
        # Last child's next is empty
        if i != len(entries) - 1:
            rellinks[id][0] = entries[i + 1]
