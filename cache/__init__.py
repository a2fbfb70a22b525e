"""Finished steps on disk, whole or absent, by the fingerprint of what made them; and the journal of fits."""

from cache.entries import Cache, writing_to
from cache.fingerprints import code_digest, fingerprint
from cache.modes import as_umask_grants
from cache.scratch import process_folder, scratch_folder

__all__ = ["Cache", "as_umask_grants", "code_digest", "fingerprint", "process_folder", "scratch_folder", "writing_to"]
