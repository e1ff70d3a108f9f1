// A C face for simdjson: one JSON document in, a flat table of slices out.

#ifndef AMERON_CSIMDJSON_H
#define AMERON_CSIMDJSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// What stands between two offsets of the document.
enum {
    CSimdJSON_OBJECT = 0,
    CSimdJSON_ARRAY = 1,
    CSimdJSON_STRING = 2,
    CSimdJSON_NUMBER = 3,
    CSimdJSON_LITERAL = 4,     // true, false, null
    CSimdJSON_NOT_FINITE = 5,  // NaN, Infinity, -Infinity, where they are taken
};

/// Why a document was refused.
enum {
    CSimdJSON_OK = 0,
    CSimdJSON_EMPTY,
    CSimdJSON_TOO_LONG,
    CSimdJSON_TOO_DEEP,
    CSimdJSON_NOT_UTF8,
    CSimdJSON_CONTROL_CHARACTER,
    CSimdJSON_OPEN_STRING,
    CSimdJSON_BAD_STRING,
    CSimdJSON_BAD_NUMBER,
    CSimdJSON_UNEXPECTED,
    CSimdJSON_ENDS_EARLY,
    CSimdJSON_TRAILING,
    CSimdJSON_NO_MEMORY,
    /// Nothing is wrong: there is more to read.
    CSimdJSON_MORE,
};

/// How a document is read.
typedef struct {
    /// Down to how many containers deep values are noted.
    uint32_t depth;
    /// The most nodes; what comes after them is checked and not noted.
    uint32_t max_nodes;
    /// Whether NaN, Infinity and -Infinity are values, as Python's json writes them.
    bool takes_not_finite;
    /// Whether scalars that are elements of an array at the deepest level are not noted: there may be very many.
    bool skips_scalars;
} CSimdJSON_options;

/// One value, or one member's name, in the order of the document.
///
/// A container is followed by its contents, a name by its value; `next` is the index of the first node that is not
/// part of this one. Strings and names include their quotes.
typedef struct {
    uint32_t kind;
    uint32_t start;  // offset of the first byte
    uint32_t end;    // offset after the last byte
    uint32_t next;
    uint32_t count;  // array: elements; object: members; string: 1 when it has escapes, else 0
} CSimdJSON_node;

/// What is known of a document beside its nodes.
typedef struct {
    size_t nodes;
    /// About where the document was refused; 0: not known.
    size_t offset;
    /// How many of its values are not finite numbers.
    uint32_t not_finite;
    /// Whether an object in it, however deep, has two members of one name. Also true where that was too much to find out:
    /// 65,536 members in objects of more than 16.
    bool has_duplicates;
    /// Whether there were more than `max_nodes`: those noted are then of no use.
    bool is_overfull;
} CSimdJSON_summary;

/// Owned by one thread; its memory is kept from document to document.
typedef struct CSimdJSON_reader CSimdJSON_reader;

/// Returns NULL when there is no memory.
CSimdJSON_reader *_Nullable CSimdJSON_create(void);
void CSimdJSON_destroy(CSimdJSON_reader *_Nullable reader);

/// Begins one whole document (RFC 8259), which must stay as it is until `CSimdJSON_read` has returned anything but
/// CSimdJSON_MORE. No byte past `length` is read.
int CSimdJSON_begin(
    CSimdJSON_reader *_Nonnull reader, const uint8_t *_Nullable bytes, size_t length, CSimdJSON_options options);

/// Reads on: some 128 KiB, or to the end of a longer string. Checks everything, also what is not noted.
///
/// Returns CSimdJSON_MORE while there is more, CSimdJSON_OK at the end, or why the document is refused.
int CSimdJSON_read(CSimdJSON_reader *_Nonnull reader);

/// Forgets the document, and lets go of the memory that a large one has left; how many bytes that were.
size_t CSimdJSON_forget(CSimdJSON_reader *_Nonnull reader);

/// The nodes of the document last read, the root first; valid until the next one.
const CSimdJSON_node *_Nonnull CSimdJSON_nodes(const CSimdJSON_reader *_Nonnull reader);
CSimdJSON_summary CSimdJSON_summarize(const CSimdJSON_reader *_Nonnull reader);

#ifdef __cplusplus
}
#endif

#endif
