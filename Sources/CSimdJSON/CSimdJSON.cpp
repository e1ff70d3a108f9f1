// simdjson's first stage finds the structure of a document (quotes, brackets, the starts of scalars) with SIMD and
// checks its UTF-8. The second stage here is ours: it checks the grammar and notes slices, where simdjson's own would
// build values. It also accepts what simdjson's refuses though it is JSON: numbers beyond 64 bits.

#include "CSimdJSON.h"

#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

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
    return at < end ? static_cast<const uint8_t *>(std::memchr(at, '\\', end - at)) : nullptr;
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

// Nodes in memory that only grows. Not a vector: the walk keeps its own end of it.
struct NodeStore {
    CSimdJSON_node *nodes = nullptr;
    size_t count = 0;
    size_t capacity = 0;

    NodeStore() = default;
    NodeStore(const NodeStore &) = delete;
    ~NodeStore() { std::free(nodes); }

    bool grow() {
        size_t wanted = capacity ? capacity * 2 : 256;
        void *memory = std::realloc(nodes, wanted * sizeof(CSimdJSON_node));
        if (!memory) return false;
        nodes = static_cast<CSimdJSON_node *>(memory);
        capacity = wanted;
        return true;
    }

    void clear() {
        count = 0;
        if (capacity <= kept_nodes) return;
        std::free(nodes);
        nodes = nullptr;
        capacity = 0;
    }
};

}  // namespace

struct CSimdJSON_reader {
    std::unique_ptr<simdjson::internal::dom_parser_implementation> stage1;
    NodeStore store;
    size_t offset = 0;
    Container stack[max_depth];

    int prepare(size_t wanted);
    int read(const uint8_t *bytes, size_t length, uint32_t wanted_depth);
};

namespace {

// All of it is inlined into one function, so that what stands here stands in registers.
#define WALK_INLINE inline __attribute__((always_inline))

// The second stage. Without recursion, so that no document reaches the end of the stack.
class Walk {
public:
    WALK_INLINE Walk(CSimdJSON_reader &reader, const uint8_t *bytes, uint32_t length, uint32_t wanted_depth)
        : bytes(bytes), length(length), wanted_depth(wanted_depth), token(reader.stage1->structural_indexes.get()),
          tokens_end(token + reader.stage1->n_structural_indexes), backslash(next_backslash(bytes)),
          store(reader.store), stack(reader.stack), nodes(store.nodes), capacity(store.capacity) {}

    WALK_INLINE int document() {
        for (;;) {
            // A value.
            if (token == tokens_end) return fault(CSimdJSON_ENDS_EARLY, length);
            uint32_t start = *token++;
            uint8_t first = bytes[start];
            bool opens = first == '{' || first == '[';
            int code = opens ? container(start, first == '{') : scalar(start, first);
            if (code != CSimdJSON_OK) return code;
            if (opens) {
                Container &top = stack[depth - 1];
                if (token == tokens_end) return fault(CSimdJSON_ENDS_EARLY, length);
                if (bytes[*token] != (top.is_object ? '}' : ']')) {
                    if (top.is_object && (code = name()) != CSimdJSON_OK) return code;
                    continue;
                }
            } else if (depth > 0) {
                stack[depth - 1].count++;
            }
            // What follows it: the ends of containers, then a comma or the end of the document.
            for (;;) {
                if (depth == 0) return finish();
                if (token == tokens_end) return fault(CSimdJSON_ENDS_EARLY, length);
                Container &top = stack[depth - 1];
                uint32_t at = *token++;
                if (bytes[at] == ',') {
                    if (top.is_object && (code = name()) != CSimdJSON_OK) return code;
                    break;
                }
                if (bytes[at] != (top.is_object ? '}' : ']')) return fault(CSimdJSON_UNEXPECTED, at);
                close(top, at + 1);
            }
        }
    }

    uint32_t fault_offset = 0;

private:
    const uint8_t *const bytes;
    const uint32_t length;
    const uint32_t wanted_depth;
    const uint32_t *token;  // the next structural character
    const uint32_t *const tokens_end;
    const uint8_t *backslash;  // the next one, or the end of the document
    NodeStore &store;
    Container *const stack;
    CSimdJSON_node *nodes;
    size_t capacity;
    uint32_t count = 0;
    uint32_t depth = 0;

    WALK_INLINE int fault(int code, uint32_t at) {
        fault_offset = at;
        return code;
    }

    WALK_INLINE int finish() {
        if (token != tokens_end) return fault(CSimdJSON_TRAILING, *token);
        store.count = count;
        return CSimdJSON_OK;
    }

    // Where the token that was taken last must have ended.
    WALK_INLINE uint32_t limit() const { return token < tokens_end ? *token : length; }

    WALK_INLINE const uint8_t *next_backslash(const uint8_t *from) const {
        const uint8_t *found = find_backslash(from, bytes + length);
        return found ? found : bytes + length;
    }

    WALK_INLINE int note(uint32_t kind, uint32_t start, uint32_t end, uint32_t content) {
        if (depth > wanted_depth) return CSimdJSON_OK;
        if (count == capacity) {
            if (!store.grow()) return fault(CSimdJSON_NO_MEMORY, start);
            nodes = store.nodes;
            capacity = store.capacity;
        }
        nodes[count] = {kind, start, end, count + 1, content};
        count++;
        return CSimdJSON_OK;
    }

    WALK_INLINE int container(uint32_t start, bool is_object) {
        if (depth == max_depth) return fault(CSimdJSON_TOO_DEEP, start);
        uint32_t node = depth > wanted_depth ? no_node : count;
        int code = note(is_object ? CSimdJSON_OBJECT : CSimdJSON_ARRAY, start, start, 0);
        stack[depth++] = {node, 0, is_object};
        return code;
    }

    WALK_INLINE void close(const Container &top, uint32_t end) {
        depth--;
        if (top.node != no_node) {
            CSimdJSON_node &node = nodes[top.node];
            node.end = end;
            node.next = count;
            node.count = top.count;
        }
        if (depth > 0) stack[depth - 1].count++;
    }

    // Up to the next token there is only the closing quote and white space: anything else behind the quote would be a
    // token itself. A backslash before this string would have been a fault, so the next one is in it or behind it.
    WALK_INLINE int string(uint32_t start) {
        uint32_t end = limit();
        while (end > start && is_space(bytes[end - 1])) end--;
        if (end - start < 2 || bytes[end - 1] != '"') return fault(CSimdJSON_OPEN_STRING, start);
        const uint8_t *last = bytes + end - 1;
        bool has_escapes = backslash < last;
        if (has_escapes) {
            if (!escapes_are_good(backslash, last)) return fault(CSimdJSON_BAD_STRING, start);
            backslash = next_backslash(last);
        }
        return note(CSimdJSON_STRING, start, end, has_escapes);
    }

    WALK_INLINE int word(uint32_t start, const char *text, uint32_t size) {
        uint32_t end = limit();
        if (end - start < size || std::memcmp(bytes + start, text, size) != 0
            || !only_space(bytes + start + size, bytes + end)) {
            return fault(CSimdJSON_UNEXPECTED, start);
        }
        return note(CSimdJSON_LITERAL, start, start + size, 0);
    }

    WALK_INLINE int scalar(uint32_t start, uint8_t first) {
        switch (first) {
        case '"': return string(start);
        case 't': return word(start, "true", 4);
        case 'f': return word(start, "false", 5);
        case 'n': return word(start, "null", 4);
        default: break;
        }
        if (first != '-' && !is_digit(first)) return fault(CSimdJSON_UNEXPECTED, start);
        const uint8_t *until = bytes + limit();
        const uint8_t *end = skip_number(bytes + start, until);
        if (!end || !only_space(end, until)) return fault(CSimdJSON_BAD_NUMBER, start);
        return note(CSimdJSON_NUMBER, start, static_cast<uint32_t>(end - bytes), 0);
    }

    // The name of a member and its colon.
    WALK_INLINE int name() {
        if (token == tokens_end) return fault(CSimdJSON_ENDS_EARLY, length);
        uint32_t start = *token++;
        if (bytes[start] != '"') return fault(CSimdJSON_UNEXPECTED, start);
        int code = string(start);
        if (code != CSimdJSON_OK) return code;
        if (token == tokens_end) return fault(CSimdJSON_ENDS_EARLY, length);
        uint32_t colon = *token++;
        return bytes[colon] == ':' ? CSimdJSON_OK : fault(CSimdJSON_UNEXPECTED, colon);
    }
};

int fault_of(simdjson::error_code error) {
    switch (error) {
    case simdjson::SUCCESS: return CSimdJSON_OK;
    case simdjson::EMPTY: return CSimdJSON_EMPTY;
    case simdjson::UTF8_ERROR: return CSimdJSON_NOT_UTF8;
    case simdjson::UNESCAPED_CHARS: return CSimdJSON_CONTROL_CHARACTER;
    case simdjson::UNCLOSED_STRING: return CSimdJSON_OPEN_STRING;
    case simdjson::MEMALLOC: case simdjson::CAPACITY: return CSimdJSON_NO_MEMORY;
    default: return CSimdJSON_UNEXPECTED;
    }
}

}  // namespace

// Makes room for a document, and lets go of the room that a much larger one left.
int CSimdJSON_reader::prepare(size_t wanted) {
    store.clear();
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

int CSimdJSON_reader::read(const uint8_t *bytes, size_t length, uint32_t wanted_depth) {
    store.count = 0;
    offset = 0;
    if (!bytes || length == 0) return CSimdJSON_EMPTY;
    if (length >= simdjson::SIMDJSON_MAXSIZE_BYTES) return CSimdJSON_TOO_LONG;
    int code = prepare(length);
    if (code != CSimdJSON_OK) return code;
    code = fault_of(stage1->stage1(bytes, length, simdjson::stage1_mode::regular));
    if (code != CSimdJSON_OK) return code;
    Walk walk(*this, bytes, static_cast<uint32_t>(length), wanted_depth);
    code = walk.document();
    offset = walk.fault_offset;
    return code;
}

extern "C" {

CSimdJSON_reader *CSimdJSON_create(void) { return new (std::nothrow) CSimdJSON_reader; }

void CSimdJSON_destroy(CSimdJSON_reader *reader) { delete reader; }

int CSimdJSON_read(CSimdJSON_reader *reader, const uint8_t *bytes, size_t length, uint32_t depth) {
    // Nothing here is known to throw; a throw into Swift would be undefined.
    try {
        return reader->read(bytes, length, depth);
    } catch (...) {
        return CSimdJSON_NO_MEMORY;
    }
}

const CSimdJSON_node *CSimdJSON_nodes(const CSimdJSON_reader *reader) {
    static const CSimdJSON_node none = {};
    return reader->store.nodes ? reader->store.nodes : &none;
}

size_t CSimdJSON_count(const CSimdJSON_reader *reader) { return reader->store.count; }

size_t CSimdJSON_offset(const CSimdJSON_reader *reader) { return reader->offset; }

}  // extern "C"
