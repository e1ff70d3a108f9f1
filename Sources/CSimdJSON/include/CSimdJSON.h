// A C face for simdjson: one JSON document in, a flat table of slices out.

#ifndef AMERON_CSIMDJSON_H
#define AMERON_CSIMDJSON_H

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
    CSimdJSON_LITERAL = 4,  // true, false, null
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
};

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

/// Owned by one thread; its memory is kept from document to document.
typedef struct CSimdJSON_reader CSimdJSON_reader;

/// Returns NULL when there is no memory.
CSimdJSON_reader *_Nullable CSimdJSON_create(void);
void CSimdJSON_destroy(CSimdJSON_reader *_Nullable reader);

/// Reads and checks one whole document (RFC 8259), and notes its values down to `depth` containers deep.
///
/// Reads nothing past `length`. What lies deeper than `depth` is checked all the same. Returns CSimdJSON_OK or why not,
/// then `CSimdJSON_offset` says about where.
int CSimdJSON_read(
    CSimdJSON_reader *_Nonnull reader, const uint8_t *_Nullable bytes, size_t length, uint32_t depth);

/// The nodes of the document last read, the root first; valid until the next one.
const CSimdJSON_node *_Nonnull CSimdJSON_nodes(const CSimdJSON_reader *_Nonnull reader);
size_t CSimdJSON_count(const CSimdJSON_reader *_Nonnull reader);
size_t CSimdJSON_offset(const CSimdJSON_reader *_Nonnull reader);

#ifdef __cplusplus
}
#endif

#endif
