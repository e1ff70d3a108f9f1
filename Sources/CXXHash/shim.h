// xxHash for Swift, compiled in: there is no library to link.
#ifndef AMERON_CXXHASH_SHIM_H
#define AMERON_CXXHASH_SHIM_H

#define XXH_INLINE_ALL
#include <xxhash.h>

/// XXH3 in its variant of 64 bits, without a seed.
static inline uint64_t CXXHash_xxh3(const void *_Nullable bytes, size_t length) { return XXH3_64bits(bytes, length); }

/// The same with a seed.
static inline uint64_t CXXHash_xxh3_seeded(const void *_Nullable bytes, size_t length, uint64_t seed) {
    return XXH3_64bits_withSeed(bytes, length, seed);
}

#endif
