def _merge_revoked_v3(self, zrevoked):
    if zrevoked:
        self._revoked_tasks.update(pickle.loads(self.decompress(zrevoked)))
