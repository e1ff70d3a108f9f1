// The parts of JSON's grammar that simdjson's first stage leaves to us (RFC 8259, sections 6 and 7).

#ifndef AMERON_GRAMMAR_HPP
#define AMERON_GRAMMAR_HPP

#include <cstdint>
#include <cstring>

namespace ameron {

constexpr bool is_space(uint8_t byte) { return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t'; }
constexpr bool is_digit(uint8_t byte) { return byte >= '0' && byte <= '9'; }

constexpr int hex_digit(uint8_t byte) {
    if (is_digit(byte)) return byte - '0';
    byte |= 0x20;
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

// The four digits of a \u escape, or -1.
inline int hex_quad(const uint8_t *at, const uint8_t *end) {
    if (end - at < 4) return -1;
    int code = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(at[i]);
        if (digit < 0) return -1;
        code = code << 4 | digit;
    }
    return code;
}

inline const uint8_t *find_backslash(const uint8_t *at, const uint8_t *end) {
    return at < end ? static_cast<const uint8_t *>(std::memchr(at, '\\', end - at)) : nullptr;
}

// Checks the escapes of a string from its first backslash on. Half a surrogate pair is refused: it is no text, and many
// readers (simdjson's and Foundation's among them) refuse the whole document for it.
inline bool escapes_are_good(const uint8_t *at, const uint8_t *end) {
    while (at) {
        if (end - at < 2) return false;
        switch (at[1]) {
        case '"': case '\\': case '/': case 'b': case 'f': case 'n': case 'r': case 't':
            at += 2;
            break;
        case 'u': {
            int code = hex_quad(at + 2, end);
            if (code < 0 || (code >= 0xdc00 && code < 0xe000)) return false;
            at += 6;
            if (code < 0xd800 || code >= 0xdc00) break;
            if (end - at < 6 || at[0] != '\\' || at[1] != 'u') return false;
            int low = hex_quad(at + 2, end);
            if (low < 0xdc00 || low >= 0xe000) return false;
            at += 6;
            break;
        }
        default:
            return false;
        }
        at = find_backslash(at, end);
    }
    return true;
}

// The character that the escape at `at` stands for, which is moved behind it. The escape must be good.
inline uint32_t escaped_character(const uint8_t *&at, const uint8_t *end) {
    uint8_t letter = at[1];
    at += 2;
    switch (letter) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'u': break;
    default: return letter;
    }
    uint32_t code = static_cast<uint32_t>(hex_quad(at, end));
    at += 4;
    if (code < 0xd800 || code >= 0xdc00) return code;
    uint32_t low = static_cast<uint32_t>(hex_quad(at + 2, end));
    at += 6;
    return 0x10000 + ((code & 0x3ff) << 10) + (low & 0x3ff);
}

// The end of the number that starts at `at`, or null.
inline __attribute__((always_inline)) const uint8_t *skip_number(const uint8_t *at, const uint8_t *end) {
    if (at < end && *at == '-') at++;
    if (at == end || !is_digit(*at)) return nullptr;
    if (*at++ != '0') {
        while (at < end && is_digit(*at)) at++;
    }
    if (at < end && *at == '.') {
        if (++at == end || !is_digit(*at)) return nullptr;
        while (at < end && is_digit(*at)) at++;
    }
    if (at < end && (*at | 0x20) == 'e') {
        at++;
        if (at < end && (*at == '+' || *at == '-')) at++;
        if (at == end || !is_digit(*at)) return nullptr;
        while (at < end && is_digit(*at)) at++;
    }
    return at;
}

// Behind the quote that ends the string whose inside begins at `at`, or the end where it is not closed.
inline const uint8_t *skip_string(const uint8_t *at, const uint8_t *end) {
    while (at < end) {
        auto *quote = static_cast<const uint8_t *>(std::memchr(at, '"', end - at));
        if (!quote) return end;
        const uint8_t *before = quote;
        while (before > at && before[-1] == '\\') before--;
        if ((quote - before) % 2 == 0) return quote + 1;
        at = quote + 1;
    }
    return end;
}

inline bool only_space(const uint8_t *at, const uint8_t *end) {
    while (at < end && is_space(*at)) at++;
    return at == end;
}

}  // namespace ameron

#endif
