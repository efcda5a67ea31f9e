p = run(
    "git diff -U0 %s | egrep '^[-+]msgid' | wc -l" % po_path,
    capture_output=True,
    shell=True,
)
