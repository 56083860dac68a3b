/* An indexed binary heap. An entry is removed when its check ends, not skipped later. */
#include "service.h"

#include <stdlib.h>

static void place(struct timers *timers, size_t index, struct check *check) {
    timers->checks[index] = check;
    check->timer_index = index;
}

static void sift_up(struct timers *timers, size_t index, struct check *check) {
    while (index > 0) {
        size_t parent = (index - 1) / 2;
        if (timers->checks[parent]->deadline_ns <= check->deadline_ns) break;
        place(timers, index, timers->checks[parent]);
        index = parent;
    }
    place(timers, index, check);
}

static void sift_down(struct timers *timers, size_t index, struct check *check) {
    for (;;) {
        size_t child = index * 2 + 1;
        if (child >= timers->count) break;
        if (child + 1 < timers->count && timers->checks[child + 1]->deadline_ns < timers->checks[child]->deadline_ns)
            child++;
        if (check->deadline_ns <= timers->checks[child]->deadline_ns) break;
        place(timers, index, timers->checks[child]);
        index = child;
    }
    place(timers, index, check);
}

bool timers_add(struct timers *timers, struct check *check) {
    if (timers->count == timers->capacity) {
        size_t capacity = timers->capacity ? timers->capacity * 2 : 64;
        struct check **checks = realloc(timers->checks, capacity * sizeof(struct check *));
        if (checks == NULL) return false;
        timers->checks = checks;
        timers->capacity = capacity;
    }
    sift_up(timers, timers->count++, check);
    return true;
}

void timers_remove(struct timers *timers, struct check *check) {
    size_t index = check->timer_index;
    if (index == NO_TIMER) return;
    check->timer_index = NO_TIMER;
    struct check *last = timers->checks[--timers->count];
    if (last == check) return;
    if (index > 0 && last->deadline_ns < timers->checks[(index - 1) / 2]->deadline_ns) sift_up(timers, index, last);
    else sift_down(timers, index, last);
}
