/* The table of all formats with children. */
#include "parse/format.h"

#include "base/num.h"
#include "parse/data_url.h"
#include "parse/libarchive.h"

static const struct format *const formats[] = {
	&format_libarchive, &format_data_url,
};

const struct format *format_for(enum file_type type, struct rd in)
{
	const struct format *best = NULL;
	int best_bid = 0;
	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		int bid = formats[i]->bid(type, in);
		if (bid <= best_bid)
			continue;
		best = formats[i];
		best_bid = bid;
	}
	return best;
}
