def _maybe_reload_module(self, module, force_reload=False, reloader=None):
    if module not in sys.modules:
        logger.debug('importing module %s', module)
        return self.app.loader.import_from_cwd(module)
    elif force_reload:
        logger.debug('reloading module %s', module)
        return reload_from_cwd(sys.modules[module], reloader)
