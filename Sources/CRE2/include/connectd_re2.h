#ifndef CONNECTD_RE2_H
#define CONNECTD_RE2_H
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// A compiled regular expression of RE2 over UTF-8. Threads may share it.
typedef struct connectd_re2 connectd_re2;

// Why a pattern was not compiled.
typedef enum {
    CONNECTD_RE2_OK = 0,
    CONNECTD_RE2_BAD_PATTERN = 1,
    // It needs more than `memory`.
    CONNECTD_RE2_TOO_LARGE = 2,
} connectd_re2_status;

// Compiles a pattern. The compiled program and the states that matches cache stay within `memory` bytes.
// Returns NULL after a failure, with RE2's reason in `message`, cut to `capacity` and ended by a zero.
connectd_re2 *_Nullable connectd_re2_compile(
    const uint8_t *_Nonnull pattern, size_t length, int64_t memory, connectd_re2_status *_Nonnull status,
    char *_Nonnull message, size_t capacity);

void connectd_re2_free(connectd_re2 *_Nonnull pattern);

// The number of capturing groups.
size_t connectd_re2_group_count(const connectd_re2 *_Nonnull pattern);

// The number of instructions: the cost of a match is at most proportional to it times the length of the text.
size_t connectd_re2_program_size(const connectd_re2 *_Nonnull pattern);

// Looks for the leftmost match in valid UTF-8. Returns 1 after a match, otherwise 0.
// `bounds` receives begin and end of the whole match and of each group; -1 for a group that took no part.
int connectd_re2_match(
    const connectd_re2 *_Nonnull pattern, const uint8_t *_Nonnull text, size_t length, ptrdiff_t *_Nonnull bounds);

#ifdef __cplusplus
}
#endif
#endif
