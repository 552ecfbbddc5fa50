"""How a packed register's index is read: compiled by numba, which this module needs."""

# mypy: ignore-errors
import numpy as np

from canary.matching.probes import compiled

_LOW, _32 = np.uint64(0xFFFF), np.uint64(32)


def _entries_of(hashes, bits, buckets, prints, ids, keys, owners):  # pragma: no cover
    """Write which key (its index) stands with which bait (its index); return how many there are.

    Of more than there is room for, the rest is counted but not written.
    """
    count = 0
    for key in range(len(hashes)):
        hashed = np.uint64(hashes[key])
        place = np.int64(hashed >> (_32 - np.uint64(bits)))
        print_ = np.uint16(hashed & _LOW)
        for index in range(np.int64(buckets[place]), np.int64(buckets[place + 1])):
            if prints[index] == print_:
                if count < len(keys):
                    keys[count] = key
                    owners[count] = (
                        ids[3 * index] | ids[3 * index + 1] << 8 | ids[3 * index + 2] << 16
                    )
                count += 1
    return count


entries_of = compiled(_entries_of)
