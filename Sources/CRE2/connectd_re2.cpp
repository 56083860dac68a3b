#include "connectd_re2.h"

#include <re2/re2.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

struct connectd_re2 {
    RE2 expression;
};

static RE2::Options options(int64_t memory)
{
    // Go's flags (syntax.Perl) are RE2's defaults: one line, groups by Perl's rules, `.` without line feeds.
    RE2::Options options;
    options.set_encoding(RE2::Options::EncodingUTF8);
    options.set_log_errors(false);
    options.set_max_mem(memory);
    return options;
}

static void copy(const std::string &text, char *message, size_t capacity)
{
    if (capacity == 0)
        return;
    size_t count = std::min(text.size(), capacity - 1);
    std::memcpy(message, text.data(), count);
    message[count] = 0;
}

connectd_re2 *connectd_re2_compile(
    const uint8_t *pattern, size_t length, int64_t memory, connectd_re2_status *status, char *message, size_t capacity)
{
    re2::StringPiece text(reinterpret_cast<const char *>(pattern), length);
    auto *compiled = new connectd_re2{RE2(text, options(memory))};
    if (compiled->expression.ok()) {
        *status = CONNECTD_RE2_OK;
        return compiled;
    }
    bool isTooLarge = compiled->expression.error_code() == RE2::ErrorPatternTooLarge;
    *status = isTooLarge ? CONNECTD_RE2_TOO_LARGE : CONNECTD_RE2_BAD_PATTERN;
    copy(compiled->expression.error(), message, capacity);
    delete compiled;
    return nullptr;
}

void connectd_re2_free(connectd_re2 *pattern)
{
    delete pattern;
}

size_t connectd_re2_group_count(const connectd_re2 *pattern)
{
    return static_cast<size_t>(pattern->expression.NumberOfCapturingGroups());
}

size_t connectd_re2_program_size(const connectd_re2 *pattern)
{
    return static_cast<size_t>(pattern->expression.ProgramSize());
}

static bool isContinuation(char byte)
{
    return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

int connectd_re2_match(const connectd_re2 *pattern, const uint8_t *text, size_t length, ptrdiff_t *bounds)
{
    re2::StringPiece subject(reinterpret_cast<const char *>(text), length);
    std::vector<re2::StringPiece> groups(connectd_re2_group_count(pattern) + 1);
    size_t start = 0;
    while (true) {
        if (!pattern->expression.Match(
                subject, start, length, RE2::UNANCHORED, groups.data(), static_cast<int>(groups.size())))
            return 0;
        start = static_cast<size_t>(groups[0].data() - subject.data());
        // RE2 looks for `\B` between bytes too, Go between characters only.
        if (start == length || !isContinuation(subject[start]))
            break;
        while (start < length && isContinuation(subject[start]))
            start++;
    }
    for (size_t index = 0; index < groups.size(); index++) {
        const re2::StringPiece &group = groups[index];
        bool isSet = group.data() != nullptr;
        bounds[2 * index] = isSet ? group.data() - subject.data() : -1;
        bounds[2 * index + 1] = isSet ? group.data() - subject.data() + static_cast<ptrdiff_t>(group.size()) : -1;
    }
    return 1;
}
