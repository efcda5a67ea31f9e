try do
  List.to_integer(source_date_epoch)
rescue
  _ -> nil
end
