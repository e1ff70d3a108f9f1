// Finds members of one name in an object, at a few instructions for each member of a small object.

#ifndef AMERON_NAME_CHECK_HPP
#define AMERON_NAME_CHECK_HPP

#include <cstdint>
#include <cstdlib>
#include <cstring>

#include <sys/random.h>

#include "Grammar.hpp"

namespace ameron {

// Names are compared by 64 bits of a keyed hash: two that differ pass for the same once in 2^64 pairs, and nobody can
// choose such. Objects of up to 16 members compare with each other member; the names of larger ones stand in one table.
class NameCheck {
public:
    static constexpr uint32_t few = 16;

    NameCheck() {
        // Without randomness the table is still right, only its speed could be attacked.
        if (getrandom(key, sizeof key, GRND_NONBLOCK) != static_cast<ssize_t>(sizeof key)) {
            key[0] = 0x9e3779b97f4a7c15;
            key[1] = 0xd1b54a32d192ed03;
        }
    }
    NameCheck(const NameCheck &) = delete;
    ~NameCheck() { std::free(table); }

    void begin() {
        has_duplicates = false;
        serial = 0;
        if (used == 0) return;
        used = 0;
        if (size > kept_size) {
            std::free(table);
            table = nullptr;
            size = 0;
        } else {
            std::memset(table, 0, size * sizeof *table);
        }
    }

    // Takes in the name of the member number `count` of the object at `level`: the bytes between its quotes. `seen` is the
    // object's own word, 0 at first: a bit for the hash of each of its names, so that most need not be compared.
    inline __attribute__((always_inline)) void note(
        uint32_t level, uint32_t count, uint64_t &seen, const uint8_t *at, uint32_t length, bool has_escapes) {
        uint64_t hash = has_escapes ? hash_unescaped(at, length) : hash_plain(at, length);
        if (count >= few) return note_many(level, count, hash);
        recent[level][count] = hash;
        uint64_t bit = uint64_t{1} << (hash & 63);
        if (seen & bit) compare(level, count, hash);
        seen |= bit;
    }

    bool has_duplicates = false;

private:
    static constexpr size_t first_size = 1 << 10;
    static constexpr size_t kept_size = 1 << 13;
    static constexpr size_t most_names = 1 << 16;
    static constexpr uint32_t levels = 500;

    uint64_t key[2];
    uint64_t serial = 0;
    uint64_t *table = nullptr;
    size_t size = 0;
    size_t used = 0;
    // What a name in the table is told apart by from the same name in another object.
    uint64_t serials[levels];
    uint64_t recent[levels][few];

    static uint64_t load8(const uint8_t *at) {
        uint64_t word;
        std::memcpy(&word, at, sizeof word);
        return word;
    }

    static uint64_t load4(const uint8_t *at) {
        uint32_t word;
        std::memcpy(&word, at, sizeof word);
        return word;
    }

    static uint64_t mix(uint64_t a, uint64_t b) {
        unsigned __int128 product = static_cast<unsigned __int128>(a) * b;
        return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
    }

    // In the manner of wyhash: words of the name, each mixed with a key by a multiplication of 64 by 64 bits.
    inline __attribute__((always_inline)) uint64_t hash_plain(const uint8_t *at, uint32_t length) const {
        uint64_t first = 0;
        uint64_t last = 0;
        if (length >= 8) {
            if (length > 16) return hash_long(at, length);
            first = load8(at);
            last = load8(at + length - 8);
        } else if (length >= 4) {
            first = load4(at);
            last = load4(at + length - 4);
        } else if (length > 0) {
            first = static_cast<uint64_t>(at[0]) << 16 | static_cast<uint64_t>(at[length >> 1]) << 8 | at[length - 1];
        }
        return mix(first ^ key[0], last ^ key[1] ^ length);
    }

    __attribute__((noinline)) uint64_t hash_long(const uint8_t *at, uint32_t length) const {
        uint64_t hash = key[0] ^ length;
        for (uint32_t i = 0; i + 16 < length; i += 16) hash = mix(hash ^ load8(at + i), key[1] ^ load8(at + i + 8));
        return mix(hash ^ load8(at + length - 16), key[1] ^ load8(at + length - 8));
    }

    __attribute__((noinline)) void compare(uint32_t level, uint32_t count, uint64_t hash) {
        for (uint32_t i = 0; i < count; i++) has_duplicates |= recent[level][i] == hash;
    }

    // As if the name stood there without escapes. Rare.
    __attribute__((noinline)) uint64_t hash_unescaped(const uint8_t *at, uint32_t length) const {
        auto *plain = static_cast<uint8_t *>(std::malloc(length));
        if (!plain) return 0;
        const uint8_t *end = at + length;
        uint32_t written = 0;
        while (at < end) {
            if (*at != '\\') {
                plain[written++] = *at++;
                continue;
            }
            uint32_t code = escaped_character(at, end);
            if (code < 0x80) {
                plain[written++] = static_cast<uint8_t>(code);
            } else if (code < 0x800) {
                plain[written++] = static_cast<uint8_t>(0xc0 | code >> 6);
                plain[written++] = static_cast<uint8_t>(0x80 | (code & 0x3f));
            } else if (code < 0x10000) {
                plain[written++] = static_cast<uint8_t>(0xe0 | code >> 12);
                plain[written++] = static_cast<uint8_t>(0x80 | (code >> 6 & 0x3f));
                plain[written++] = static_cast<uint8_t>(0x80 | (code & 0x3f));
            } else {
                plain[written++] = static_cast<uint8_t>(0xf0 | code >> 18);
                plain[written++] = static_cast<uint8_t>(0x80 | (code >> 12 & 0x3f));
                plain[written++] = static_cast<uint8_t>(0x80 | (code >> 6 & 0x3f));
                plain[written++] = static_cast<uint8_t>(0x80 | (code & 0x3f));
            }
        }
        uint64_t hash = hash_plain(plain, written);
        std::free(plain);
        return hash;
    }

    __attribute__((noinline)) void note_many(uint32_t level, uint32_t count, uint64_t hash) {
        if (has_duplicates) return;
        if (count == few) {
            serials[level] = ++serial;
            for (uint32_t i = 0; i < few; i++) insert(level, recent[level][i]);
        }
        insert(level, hash);
    }

    void insert(uint32_t level, uint64_t hash) {
        // What is too much to find out, or for which there is no memory, counts as found.
        if (used == most_names || ((used + 1) * 2 > size && !grow())) {
            has_duplicates = true;
            return;
        }
        uint64_t entry = hash + serials[level] * 0xd1b54a32d192ed03;
        if (entry == 0) entry = 1;
        size_t place = entry & (size - 1);
        while (table[place] != 0) {
            if (table[place] == entry) {
                has_duplicates = true;
                return;
            }
            place = (place + 1) & (size - 1);
        }
        table[place] = entry;
        used++;
    }

    bool grow() {
        size_t wanted = size ? size * 2 : first_size;
        auto *larger = static_cast<uint64_t *>(std::calloc(wanted, sizeof *table));
        if (!larger) return false;
        for (size_t i = 0; i < size; i++) {
            if (table[i] == 0) continue;
            size_t place = table[i] & (wanted - 1);
            while (larger[place] != 0) place = (place + 1) & (wanted - 1);
            larger[place] = table[i];
        }
        std::free(table);
        table = larger;
        size = wanted;
        return true;
    }
};

}  // namespace ameron

#endif
