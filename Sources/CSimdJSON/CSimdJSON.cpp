// simdjson's first stage finds the structure of a document (quotes, brackets, the starts of scalars) with SIMD and
// checks its UTF-8. The second stage here is ours: it checks the grammar and notes slices, where simdjson's own would
// build values. It also accepts what simdjson's refuses though it is JSON: numbers beyond 64 bits.
//
// A long document is read window by window, so that neither the time of one step nor the memory for the structure grows
// with it. A window begins with a token, so that it stands outside of any string; the last tokens of a window are left to
// the next one, since only the token behind it tells where one ends.

#include "CSimdJSON.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

#include <simdjson.h>

#include "Grammar.hpp"
#include "NameCheck.hpp"

// The first stage by itself is not part of simdjson's promised interface: look at this file before going on.
static_assert(simdjson::SIMDJSON_VERSION_MAJOR == 3, "written against simdjson 3");

using namespace ameron;

namespace {

// Deeper than any model answers, and no deeper than common JSON readers follow (Foundation: 512).
constexpr uint32_t max_depth = 500;
// What one unusually large document may leave behind, in bytes of JSON and in nodes.
constexpr size_t kept_capacity = 256 << 10;
constexpr size_t kept_nodes = 32 << 10;
constexpr size_t first_capacity = 16 << 10;
// How much is read in one step.
constexpr size_t window_size = 128 << 10;
// How many tokens must be at hand where a value begins or has ended, so that what follows is seen whole: `{ "name" :`
// and what tells where the name ends.
constexpr size_t lookahead = 4;

// Stands in for a node below the depth asked for.
constexpr uint32_t no_node = UINT32_MAX;

struct Container {
    uint32_t node;
    uint32_t count;
    // Of an object's names, for NameCheck.
    uint64_t names;
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

    // How many bytes were let go of.
    size_t clear() {
        count = 0;
        if (capacity <= kept_nodes) return 0;
        size_t freed = capacity * sizeof(CSimdJSON_node);
        std::free(nodes);
        nodes = nullptr;
        capacity = 0;
        return freed;
    }
};

}  // namespace

struct CSimdJSON_reader {
    std::unique_ptr<simdjson::internal::dom_parser_implementation> stage1;
    NodeStore store;
    NameCheck names;
    // A window whose last string goes on behind it, with that string closed. Rare for short documents.
    std::unique_ptr<uint8_t[]> closed;
    size_t closed_capacity = 0;

    const uint8_t *bytes = nullptr;
    size_t length = 0;
    CSimdJSON_options options = {};
    CSimdJSON_summary summary = {};

    // Where the walk goes on: at the byte of its next token, before a value or after one.
    size_t position = 0;
    bool is_after_value = false;
    uint32_t depth = 0;
    Container stack[max_depth];

    // The window at hand, and how long it is to be at least.
    size_t window_end = 0;
    size_t wanted_window = window_size;

    int begin();
    int step();
    size_t forget();

private:
    int open_window(size_t size);
    size_t longer_window(bool is_empty) const;
    int prepare(size_t wanted);
    int find_structure(const uint8_t *at, size_t size);
    int find_structure_closed(const uint8_t *at, size_t size);
};

namespace {

// All of it is inlined into one function, so that what stands here stands in registers.
#define WALK_INLINE inline __attribute__((always_inline))

// The second stage. Without recursion, so that no document reaches the end of the stack.
class Walk {
public:
    WALK_INLINE explicit Walk(CSimdJSON_reader &reader)
        : reader(reader), bytes(reader.bytes + reader.position), base(static_cast<uint32_t>(reader.position)),
          length(static_cast<uint32_t>(reader.window_end - reader.position)), deepest(reader.options.depth),
          token(reader.stage1->structural_indexes.get()), tokens_end(token + reader.stage1->n_structural_indexes),
          turning_point(reader.window_end == reader.length ? no_turning_point() : tokens_end - lookahead),
          backslash(next_backslash(bytes)), stack(reader.stack), nodes(reader.store.nodes),
          capacity(static_cast<uint32_t>(reader.store.capacity)), count(static_cast<uint32_t>(reader.store.count)),
          depth(reader.depth), noted_levels(reader.summary.is_overfull ? 0 : deepest + 1) {
        skips = reader.options.skips_scalars && deepest > 0 && depth >= deepest && !stack[deepest - 1].is_object;
    }

    WALK_INLINE int document() {
        bool is_after_value = reader.is_after_value;
        for (;;) {
            if (!is_after_value) {
                if (token >= turning_point) return turn(false);
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
            }
            is_after_value = false;
            // What follows it: the ends of containers, then a comma or the end of the document.
            for (;;) {
                if (token >= turning_point) return turn(true);
                if (depth == 0) return finish();
                if (token == tokens_end) return fault(CSimdJSON_ENDS_EARLY, length);
                Container &top = stack[depth - 1];
                uint32_t at = *token++;
                if (bytes[at] == ',') {
                    int code;
                    if (top.is_object && (code = name()) != CSimdJSON_OK) return code;
                    break;
                }
                if (bytes[at] != (top.is_object ? '}' : ']')) return fault(CSimdJSON_UNEXPECTED, at);
                close(top, at + 1);
            }
        }
    }

private:
    CSimdJSON_reader &reader;
    const uint8_t *const bytes;  // of the window; all offsets here count from its start
    const uint32_t base;         // where it stands in the document, from which the offsets of nodes count
    const uint32_t length;       // of the window
    const uint32_t deepest;      // of the levels that are noted
    const uint32_t *token;       // the next structural character
    const uint32_t *const tokens_end;
    const uint32_t *const turning_point;  // from here on the next window goes on
    const uint8_t *backslash;             // the next one, or the end of the window
    Container *const stack;
    CSimdJSON_node *nodes;
    uint32_t capacity;
    uint32_t count;
    uint32_t depth;
    uint32_t noted_levels;
    bool skips;               // the scalars here are elements that are not noted
    uint32_t string_end = 0;  // of the string that was read last

    static WALK_INLINE const uint32_t *no_turning_point() { return reinterpret_cast<const uint32_t *>(UINTPTR_MAX); }

    WALK_INLINE int fault(int code, uint32_t at) {
        reader.summary.offset = base + at;
        return code;
    }

    WALK_INLINE void leave() {
        reader.store.count = count;
        reader.depth = depth;
        reader.summary.is_overfull |= noted_levels == 0;
    }

    WALK_INLINE int turn(bool is_after_value) {
        reader.position = base + *token;
        reader.is_after_value = is_after_value;
        leave();
        return CSimdJSON_MORE;
    }

    WALK_INLINE int finish() {
        if (token != tokens_end) return fault(CSimdJSON_TRAILING, *token);
        leave();
        return CSimdJSON_OK;
    }

    // Where the token that was taken last must have ended.
    WALK_INLINE uint32_t limit() const { return token < tokens_end ? *token : length; }

    WALK_INLINE const uint8_t *next_backslash(const uint8_t *from) const {
        const uint8_t *found = find_backslash(from, bytes + length);
        return found ? found : bytes + length;
    }

    WALK_INLINE int note(uint32_t kind, uint32_t start, uint32_t end, uint32_t content) {
        if (depth >= noted_levels) return CSimdJSON_OK;
        if (count == capacity) {
            if (count >= reader.options.max_nodes) {
                noted_levels = 0;
                return CSimdJSON_OK;
            }
            if (!reader.store.grow()) return fault(CSimdJSON_NO_MEMORY, start);
            nodes = reader.store.nodes;
            capacity = static_cast<uint32_t>(reader.store.capacity);
        }
        nodes[count] = {kind, base + start, base + end, count + 1, content};
        count++;
        return CSimdJSON_OK;
    }

    WALK_INLINE int note_scalar(uint32_t kind, uint32_t start, uint32_t end, uint32_t content) {
        return skips ? CSimdJSON_OK : note(kind, start, end, content);
    }

    WALK_INLINE int container(uint32_t start, bool is_object) {
        if (depth == max_depth) return fault(CSimdJSON_TOO_DEEP, start);
        uint32_t before = count;
        int code = note(is_object ? CSimdJSON_OBJECT : CSimdJSON_ARRAY, start, start, 0);
        stack[depth++] = {count > before ? before : no_node, 0, 0, is_object};
        if (depth == deepest) skips = !is_object && reader.options.skips_scalars;
        return code;
    }

    WALK_INLINE void close(const Container &top, uint32_t end) {
        depth--;
        if (depth < deepest) skips = false;
        if (top.node != no_node) {
            CSimdJSON_node &node = nodes[top.node];
            node.end = base + end;
            node.next = count;
            node.count = top.count;
        }
        if (depth > 0) stack[depth - 1].count++;
    }

    // Up to the next token there is only the closing quote and white space: anything else behind the quote would be a
    // token itself. A backslash before this string would have been a fault, so the next one is in it or behind it.
    WALK_INLINE int string(uint32_t start, bool &has_escapes) {
        uint32_t end = limit();
        while (end > start && is_space(bytes[end - 1])) end--;
        if (end - start < 2 || bytes[end - 1] != '"') return fault(CSimdJSON_OPEN_STRING, start);
        const uint8_t *last = bytes + end - 1;
        has_escapes = backslash < last;
        if (has_escapes) {
            if (!escapes_are_good(backslash, last)) return fault(CSimdJSON_BAD_STRING, start);
            backslash = next_backslash(last);
        }
        string_end = end;
        return CSimdJSON_OK;
    }

    WALK_INLINE int word(uint32_t start, uint32_t kind, const char *text, uint32_t size) {
        uint32_t end = limit();
        if (end - start < size || std::memcmp(bytes + start, text, size) != 0
            || !only_space(bytes + start + size, bytes + end)) {
            return fault(CSimdJSON_UNEXPECTED, start);
        }
        return note_scalar(kind, start, start + size, 0);
    }

    WALK_INLINE int scalar(uint32_t start, uint8_t first) {
        switch (first) {
        case '"': {
            bool has_escapes = false;
            int code = string(start, has_escapes);
            return code == CSimdJSON_OK ? note_scalar(CSimdJSON_STRING, start, string_end, has_escapes) : code;
        }
        case 't': return word(start, CSimdJSON_LITERAL, "true", 4);
        case 'f': return word(start, CSimdJSON_LITERAL, "false", 5);
        case 'n': return word(start, CSimdJSON_LITERAL, "null", 4);
        default: break;
        }
        const uint8_t *until = bytes + limit();
        const uint8_t *end = skip_number(bytes + start, until);
        if (end && only_space(end, until)) {
            return note_scalar(CSimdJSON_NUMBER, start, static_cast<uint32_t>(end - bytes), 0);
        }
        return no_number(start, first);
    }

    WALK_INLINE int no_number(uint32_t start, uint8_t first) {
        if (reader.options.takes_not_finite) {
            reader.summary.not_finite++;
            if (first == 'N') return word(start, CSimdJSON_NOT_FINITE, "NaN", 3);
            if (first == 'I') return word(start, CSimdJSON_NOT_FINITE, "Infinity", 8);
            if (first == '-' && limit() - start >= 9 && bytes[start + 1] == 'I') {
                return word(start, CSimdJSON_NOT_FINITE, "-Infinity", 9);
            }
        }
        return fault(first == '-' || is_digit(first) ? CSimdJSON_BAD_NUMBER : CSimdJSON_UNEXPECTED, start);
    }

    // The name of a member and its colon.
    WALK_INLINE int name() {
        if (token == tokens_end) return fault(CSimdJSON_ENDS_EARLY, length);
        uint32_t start = *token++;
        if (bytes[start] != '"') return fault(CSimdJSON_UNEXPECTED, start);
        bool has_escapes = false;
        int code = string(start, has_escapes);
        if (code != CSimdJSON_OK) return code;
        code = note(CSimdJSON_STRING, start, string_end, has_escapes);
        if (code != CSimdJSON_OK) return code;
        Container &top = stack[depth - 1];
        reader.names.note(
            depth - 1, top.count, top.names, bytes + start + 1, string_end - start - 2, has_escapes);
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

// Makes room for a window, and lets go of the room that a much larger one left.
int CSimdJSON_reader::prepare(size_t wanted) {
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

size_t CSimdJSON_reader::forget() {
    size_t freed = store.clear();
    summary = {};
    if (stage1 && stage1->capacity() > kept_capacity) {
        // Four bytes for each byte of the window.
        freed += 4 * stage1->capacity();
        stage1.reset();
    }
    if (closed_capacity > kept_capacity) {
        freed += closed_capacity;
        closed.reset();
        closed_capacity = 0;
    }
    return freed;
}

int CSimdJSON_reader::begin() {
    store.clear();
    names.begin();
    summary = {};
    position = 0;
    is_after_value = false;
    depth = 0;
    window_end = 0;
    wanted_window = window_size;
    if (!bytes || length == 0) return CSimdJSON_EMPTY;
    return length >= simdjson::SIMDJSON_MAXSIZE_BYTES ? CSimdJSON_TOO_LONG : CSimdJSON_MORE;
}

// Finds the structure of the bytes from `position` on, some `size` of them; `window_end` is then the end of them.
int CSimdJSON_reader::open_window(size_t size) {
    window_end = length - position <= size ? length : position + size;
    if (window_end < length) {
        // Characters are checked whole.
        for (int i = 0; i < 3 && (bytes[window_end] & 0xc0) == 0x80; i++) window_end--;
    }
    size_t part = window_end - position;
    int code = prepare(part + 2);
    if (code != CSimdJSON_OK) return code;
    code = find_structure(bytes + position, part);
    // Where the window ends within a string, that is no fault.
    if (code == CSimdJSON_OPEN_STRING && window_end < length) code = find_structure_closed(bytes + position, part);
    return code;
}

int CSimdJSON_reader::find_structure(const uint8_t *at, size_t size) {
    return fault_of(stage1->stage1(at, size, simdjson::stage1_mode::regular));
}

// The same for a copy whose last string is closed: by a quote, or by two where a backslash before it takes the first.
int CSimdJSON_reader::find_structure_closed(const uint8_t *at, size_t size) {
    if (closed_capacity < size + 2) {
        closed.reset(new (std::nothrow) uint8_t[size + 2]);
        closed_capacity = closed ? size + 2 : 0;
        if (!closed) return CSimdJSON_NO_MEMORY;
    }
    std::memcpy(closed.get(), at, size);
    closed[size] = closed[size + 1] = '"';
    int code = find_structure(closed.get(), size + 1);
    return code == CSimdJSON_OPEN_STRING ? find_structure(closed.get(), size + 2) : code;
}

// How long a window must be so that it holds more than white space, or than a long token and what stands before it.
size_t CSimdJSON_reader::longer_window(bool is_empty) const {
    size_t end = window_end;
    while (end < length && is_space(bytes[end])) end++;
    if (!is_empty) {
        size_t last = position + stage1->structural_indexes[stage1->n_structural_indexes - 1];
        if (bytes[last] == '"') end = skip_string(bytes + last + 1, bytes + length) - bytes;
    }
    size_t size = window_end - position;
    return std::max(end - position + window_size, 2 * size);
}

int CSimdJSON_reader::step() {
    int code = open_window(wanted_window);
    if (window_end < length) {
        bool is_empty = code == CSimdJSON_EMPTY;
        if (is_empty || (code == CSimdJSON_OK && stage1->n_structural_indexes <= lookahead)) {
            wanted_window = longer_window(is_empty);
            return CSimdJSON_MORE;
        }
    }
    if (code != CSimdJSON_OK) return code;
    wanted_window = std::max(window_size, wanted_window / 2);
    Walk walk(*this);
    code = walk.document();
    summary.nodes = store.count;
    summary.has_duplicates = names.has_duplicates;
    if (code == CSimdJSON_MORE) return code;
    if (code != CSimdJSON_OK) summary.nodes = 0;
    return code;
}

extern "C" {

CSimdJSON_reader *CSimdJSON_create(void) { return new (std::nothrow) CSimdJSON_reader; }

void CSimdJSON_destroy(CSimdJSON_reader *reader) { delete reader; }

int CSimdJSON_begin(CSimdJSON_reader *reader, const uint8_t *bytes, size_t length, CSimdJSON_options options) {
    reader->bytes = bytes;
    reader->length = length;
    reader->options = options;
    return reader->begin();
}

int CSimdJSON_read(CSimdJSON_reader *reader) {
    // Nothing here is known to throw; a throw into Swift would be undefined.
    try {
        return reader->step();
    } catch (...) {
        return CSimdJSON_NO_MEMORY;
    }
}

size_t CSimdJSON_forget(CSimdJSON_reader *reader) { return reader->forget(); }

const CSimdJSON_node *CSimdJSON_nodes(const CSimdJSON_reader *reader) {
    static const CSimdJSON_node none = {};
    return reader->store.nodes ? reader->store.nodes : &none;
}

CSimdJSON_summary CSimdJSON_summarize(const CSimdJSON_reader *reader) { return reader->summary; }

}  // extern "C"
