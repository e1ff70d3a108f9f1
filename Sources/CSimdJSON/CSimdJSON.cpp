// simdjson's first stage finds the structure of a document (quotes, brackets, the starts of scalars) with SIMD and
// checks its UTF-8. The second stage here is ours: it checks the grammar and notes slices, where simdjson's own would
// build values. It also accepts what simdjson's refuses though it is JSON: numbers beyond 64 bits.

#include "CSimdJSON.h"

#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include <simdjson.h>

// The first stage by itself is not part of simdjson's promised interface: look at this file before going on.
static_assert(simdjson::SIMDJSON_VERSION_MAJOR == 3, "written against simdjson 3");

namespace {

// Deeper than any model answers, and no deeper than common JSON readers follow (Foundation: 512).
constexpr uint32_t max_depth = 500;
// What one unusually large document may leave behind, in bytes of JSON and in nodes.
constexpr size_t kept_capacity = 4 << 20;
constexpr size_t kept_nodes = 256 << 10;
constexpr size_t first_capacity = 16 << 10;

constexpr bool is_space(uint8_t byte) { return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t'; }
constexpr bool is_digit(uint8_t byte) { return byte >= '0' && byte <= '9'; }

constexpr int hex_digit(uint8_t byte) {
    if (is_digit(byte)) return byte - '0';
    byte |= 0x20;
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

// The four digits of a \u escape, or -1.
int hex_quad(const uint8_t *at, const uint8_t *end) {
    if (end - at < 4) return -1;
    int code = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(at[i]);
        if (digit < 0) return -1;
        code = code << 4 | digit;
    }
    return code;
}

const uint8_t *find_backslash(const uint8_t *at, const uint8_t *end) {
    // Most strings are short names, for which the call costs more than the search.
    if (end - at > 24) return static_cast<const uint8_t *>(std::memchr(at, '\\', end - at));
    for (; at < end; at++) {
        if (*at == '\\') return at;
    }
    return nullptr;
}

// Checks the escapes of a string from its first backslash on. Half a surrogate pair is refused: it is no text, and many
// readers (simdjson's and Foundation's among them) refuse the whole document for it.
bool escapes_are_good(const uint8_t *at, const uint8_t *end) {
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

// The end of the number that starts at `at`, or null.
const uint8_t *skip_number(const uint8_t *at, const uint8_t *end) {
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

bool only_space(const uint8_t *at, const uint8_t *end) {
    while (at < end && is_space(*at)) at++;
    return at == end;
}

// Stands in for a node below the depth asked for.
constexpr uint32_t no_node = UINT32_MAX;

struct Container {
    uint32_t node;
    uint32_t count;
    bool is_object;
};

}  // namespace

struct CSimdJSON_reader {
    std::unique_ptr<simdjson::internal::dom_parser_implementation> stage1;
    std::vector<CSimdJSON_node> nodes;
    size_t offset = 0;

    int read(const uint8_t *bytes, size_t length, uint32_t wanted_depth);

private:
    const uint8_t *bytes = nullptr;
    uint32_t length = 0;
    const uint32_t *token = nullptr;  // the next structural character
    const uint32_t *tokens_end = nullptr;
    uint32_t depth = 0;
    uint32_t wanted_depth = 0;
    Container stack[max_depth];

    int prepare(size_t wanted);
    int find_structure();
    int walk();
    int scalar();
    int string();
    int name();

    int fault(int code, size_t at) {
        offset = at;
        return code;
    }
    // Where the token that was taken last must have ended.
    uint32_t limit() const { return token < tokens_end ? *token : length; }

    uint32_t note(uint32_t kind, uint32_t start, uint32_t end, uint32_t count) {
        if (depth > wanted_depth) return no_node;
        uint32_t index = static_cast<uint32_t>(nodes.size());
        nodes.push_back({kind, start, end, index + 1, count});
        return index;
    }
};

// Makes room for a document, and lets go of the room that a much larger one left.
int CSimdJSON_reader::prepare(size_t wanted) {
    nodes.clear();
    if (nodes.capacity() > kept_nodes) nodes.shrink_to_fit();
    size_t capacity = stage1 ? stage1->capacity() : 0;
    if (wanted <= capacity && (capacity <= kept_capacity || wanted > kept_capacity)) return CSimdJSON_OK;
    size_t room = first_capacity;
    while (room < wanted) room *= 2;
    if (room > simdjson::SIMDJSON_MAXSIZE_BYTES) room = simdjson::SIMDJSON_MAXSIZE_BYTES;
    stage1.reset();
    auto error = simdjson::get_active_implementation()->create_dom_parser_implementation(room, 1, stage1);
    if (error) stage1.reset();
    return error ? CSimdJSON_NO_MEMORY : CSimdJSON_OK;
}

int CSimdJSON_reader::find_structure() {
    switch (stage1->stage1(bytes, length, simdjson::stage1_mode::regular)) {
    case simdjson::SUCCESS: break;
    case simdjson::EMPTY: return fault(CSimdJSON_EMPTY, 0);
    case simdjson::UTF8_ERROR: return fault(CSimdJSON_NOT_UTF8, 0);
    case simdjson::UNESCAPED_CHARS: return fault(CSimdJSON_CONTROL_CHARACTER, 0);
    case simdjson::UNCLOSED_STRING: return fault(CSimdJSON_OPEN_STRING, 0);
    case simdjson::MEMALLOC: case simdjson::CAPACITY: return fault(CSimdJSON_NO_MEMORY, 0);
    default: return fault(CSimdJSON_UNEXPECTED, 0);
    }
    token = stage1->structural_indexes.get();
    tokens_end = token + stage1->n_structural_indexes;
    return CSimdJSON_OK;
}

int CSimdJSON_reader::read(const uint8_t *input, size_t input_length, uint32_t depth_to_note) {
    nodes.clear();
    offset = 0;
    if (!input || input_length == 0) return CSimdJSON_EMPTY;
    if (input_length >= simdjson::SIMDJSON_MAXSIZE_BYTES) return CSimdJSON_TOO_LONG;
    bytes = input;
    length = static_cast<uint32_t>(input_length);
    wanted_depth = depth_to_note;
    int code = prepare(input_length);
    if (code == CSimdJSON_OK) code = find_structure();
    if (code == CSimdJSON_OK) code = walk();
    if (code != CSimdJSON_OK) nodes.clear();
    return code;
}

// The string whose opening quote was taken last. Up to the next token there is only its closing quote and white space:
// anything else behind the quote would be a token itself.
int CSimdJSON_reader::string() {
    uint32_t start = token[-1];
    uint32_t end = limit();
    while (end > start && is_space(bytes[end - 1])) end--;
    if (end - start < 2 || bytes[end - 1] != '"') return fault(CSimdJSON_OPEN_STRING, start);
    const uint8_t *last = bytes + end - 1;
    const uint8_t *backslash = find_backslash(bytes + start + 1, last);
    if (backslash && !escapes_are_good(backslash, last)) return fault(CSimdJSON_BAD_STRING, start);
    note(CSimdJSON_STRING, start, end, backslash != nullptr);
    return CSimdJSON_OK;
}

// The string, number or word that was taken last.
int CSimdJSON_reader::scalar() {
    uint32_t start = token[-1];
    const uint8_t *at = bytes + start;
    const uint8_t *until = bytes + limit();
    switch (*at) {
    case '"':
        return string();
    case 't': case 'f': case 'n': {
        const char *word = *at == 't' ? "true" : *at == 'f' ? "false" : "null";
        ptrdiff_t size = *at == 'f' ? 5 : 4;
        if (until - at < size || std::memcmp(at, word, size) != 0 || !only_space(at + size, until)) {
            return fault(CSimdJSON_UNEXPECTED, start);
        }
        note(CSimdJSON_LITERAL, start, start + static_cast<uint32_t>(size), 0);
        return CSimdJSON_OK;
    }
    default:
        if (*at != '-' && !is_digit(*at)) return fault(CSimdJSON_UNEXPECTED, start);
        const uint8_t *end = skip_number(at, until);
        if (!end || !only_space(end, until)) return fault(CSimdJSON_BAD_NUMBER, start);
        note(CSimdJSON_NUMBER, start, static_cast<uint32_t>(end - bytes), 0);
        return CSimdJSON_OK;
    }
}

// The name of a member and its colon.
int CSimdJSON_reader::name() {
    if (token == tokens_end) return fault(CSimdJSON_ENDS_EARLY, length);
    if (bytes[*token++] != '"') return fault(CSimdJSON_UNEXPECTED, token[-1]);
    int code = string();
    if (code != CSimdJSON_OK) return code;
    if (token == tokens_end) return fault(CSimdJSON_ENDS_EARLY, length);
    if (bytes[*token++] != ':') return fault(CSimdJSON_UNEXPECTED, token[-1]);
    return CSimdJSON_OK;
}

// Without recursion, so that no document reaches the end of the stack.
int CSimdJSON_reader::walk() {
    depth = 0;
    for (;;) {
        // A value.
        if (token == tokens_end) return fault(CSimdJSON_ENDS_EARLY, length);
        uint32_t start = *token++;
        uint8_t first = bytes[start];
        bool closes = false;
        if (first == '{' || first == '[') {
            if (depth == max_depth) return fault(CSimdJSON_TOO_DEEP, start);
            bool is_object = first == '{';
            uint32_t node = note(is_object ? CSimdJSON_OBJECT : CSimdJSON_ARRAY, start, start, 0);
            stack[depth++] = {node, 0, is_object};
            if (token == tokens_end) return fault(CSimdJSON_ENDS_EARLY, length);
            closes = bytes[*token] == (is_object ? '}' : ']');
            if (!closes) {
                if (is_object) {
                    int code = name();
                    if (code != CSimdJSON_OK) return code;
                }
                continue;
            }
        } else {
            int code = scalar();
            if (code != CSimdJSON_OK) return code;
            if (depth > 0) stack[depth - 1].count++;
        }
        // What follows it: the ends of containers, then a comma or the end of the document.
        for (;;) {
            if (depth == 0) {
                if (token != tokens_end) return fault(CSimdJSON_TRAILING, *token);
                return CSimdJSON_OK;
            }
            if (token == tokens_end) return fault(CSimdJSON_ENDS_EARLY, length);
            Container &top = stack[depth - 1];
            uint8_t byte = bytes[*token++];
            if (byte == (top.is_object ? '}' : ']')) {
                depth--;
                if (top.node != no_node) {
                    CSimdJSON_node &node = nodes[top.node];
                    node.end = token[-1] + 1;
                    node.next = static_cast<uint32_t>(nodes.size());
                    node.count = top.count;
                }
                if (depth > 0) stack[depth - 1].count++;
                continue;
            }
            if (byte != ',') return fault(CSimdJSON_UNEXPECTED, token[-1]);
            if (top.is_object) {
                int code = name();
                if (code != CSimdJSON_OK) return code;
            }
            break;
        }
    }
}

extern "C" {

CSimdJSON_reader *CSimdJSON_create(void) { return new (std::nothrow) CSimdJSON_reader; }

void CSimdJSON_destroy(CSimdJSON_reader *reader) { delete reader; }

int CSimdJSON_read(CSimdJSON_reader *reader, const uint8_t *bytes, size_t length, uint32_t depth) {
    // The nodes' storage is all that can throw.
    try {
        return reader->read(bytes, length, depth);
    } catch (...) {
        return CSimdJSON_NO_MEMORY;
    }
}

const CSimdJSON_node *CSimdJSON_nodes(const CSimdJSON_reader *reader) {
    static const CSimdJSON_node none = {};
    return reader->nodes.empty() ? &none : reader->nodes.data();
}

size_t CSimdJSON_count(const CSimdJSON_reader *reader) { return reader->nodes.size(); }

size_t CSimdJSON_offset(const CSimdJSON_reader *reader) { return reader->offset; }

}  // extern "C"
