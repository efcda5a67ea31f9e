try:
    code = compile(filename.read_bytes(), filename, 'exec')
    exec(code, namespace)  # NoQA: S102
except SyntaxError as err:
    msg = __('There is a syntax error in your configuration file: %s\n')
    raise ConfigError(msg % err) from err
except SystemExit as exc:
    msg = __(
        'The configuration file (or one of the modules it imports) '
        'called sys.exit()'
    )
    raise ConfigError(msg) from exc
except ConfigError:
    # pass through ConfigError from conf.py as is.  It will be shown in console.
    raise
except Exception as exc:
    msg = __('There is a programmable error in your configuration file:\n\n%s')
    raise ConfigError(msg % traceback.format_exc()) from exc
