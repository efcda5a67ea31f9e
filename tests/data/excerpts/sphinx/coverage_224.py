for filename in self.c_sourcefiles:
    undoc: set[tuple[str, str]] = set()
    with open(filename, encoding='utf-8') as f:
        for line in f:
            for key, regex in self.c_regexes:
                match = regex.match(line)
                if match:
                    name = match.groups()[0]
                    if key not in c_objects:
                        undoc.add((key, name))
                        continue

                    if name not in c_objects[key]:
                        for exp in self.c_ignorexps.get(key, ()):
                            if exp.match(name):
                                break
                        else:
                            undoc.add((key, name))
                    continue
    if undoc:
        self.c_undoc[filename] = undoc
