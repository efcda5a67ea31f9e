if not revoked_by_id and self.stamped_headers:
    for stamp in self.stamped_headers:
        if stamp in revoked_stamps:
            revoked_header = revoked_stamps[stamp]
            stamped_header = self._message.headers['stamps'][stamp]

            if isinstance(stamped_header, (list, tuple)):
                for stamped_value in stamped_header:
                    if stamped_value in maybe_list(revoked_header):
                        revoked_by_header = True
                        revoking_header = {stamp: stamped_value}
                        break
            else:
                revoked_by_header = any([
                    stamped_header in maybe_list(revoked_header),
                    stamped_header == revoked_header,  # When the header is a single set value
                ])
                revoking_header = {stamp: stamped_header}
            break
