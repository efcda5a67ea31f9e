def is_even_and_small?(value) do
  if is_even(value) and value <= 100, do: true, else: false
end
