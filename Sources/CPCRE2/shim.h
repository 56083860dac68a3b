#ifndef CONNECTD_CPCRE2_H
#define CONNECTD_CPCRE2_H
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdint.h>
#include <time.h>

// The time limit of a match: CPU time of its thread (CLOCK_THREAD_CPUTIME_ID), in nanoseconds.
struct connectd_match_clock {
    int64_t end;
    uint32_t callouts;
};

static inline int64_t connectd_thread_time(void)
{
    struct timespec time = {0, 0};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

// Reading the clock costs as much as a dozen items of a pattern, so it is not read in every callout. But a repeated
// item can pass over all bytes, some 50 µs for 64 KiB, in each callout between two readings.
static const uint32_t connectd_callouts_between_looks = 32;

static inline int connectd_stop_at_end(pcre2_callout_block *block, void *data)
{
    struct connectd_match_clock *clock = data;
    (void)block;
    if (++clock->callouts % connectd_callouts_between_looks != 0)
        return 0;
    return connectd_thread_time() >= clock->end ? PCRE2_ERROR_CALLOUT : 0;
}

// It is written in C, because it runs at every item of a pattern and must be fast in debug builds too.
static inline void connectd_set_match_clock(pcre2_match_context *context, struct connectd_match_clock *clock)
{
    pcre2_set_callout(context, connectd_stop_at_end, clock);
}
#endif
