unless unquote(callback).(entry) do
  next(unquote(fun), entry, acc)
else
  skip(acc)
end
