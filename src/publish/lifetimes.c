#include "publish/repo.h"

#define DAY INT64_C(86400)

/* People's keys sign for long, the online one for as long as nobody may be at work. */
const struct publish_lifetimes publish_lifetimes_default = {
    .root = 365 * DAY, .targets = 90 * DAY, .evidence = 7 * DAY, .snapshot = 7 * DAY,
    .timestamp = 2 * DAY,
};
