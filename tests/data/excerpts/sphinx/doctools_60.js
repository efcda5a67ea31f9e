Documentation.PLURAL_EXPR = new Function(
  "n",
  `return (${catalog.plural_expr})`
);
