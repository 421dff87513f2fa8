/* Signatures for members of containers (.cdb, .zmd, .rmd): what is known of a member before it is
 * read. */
#include "explain/words.h"

#include "db/filetypes.h"

#include <inttypes.h>

static void put_range(struct out *o, const char *what, const char *key, const struct db_range *r)
{
	if (r->min == 0 && r->max == UINT64_MAX)
		return;
	if (r->min == r->max)
		out_say(o, "%s exactly %" PRIu64, what, r->min);
	else if (r->max == UINT64_MAX)
		out_say(o, "%s %" PRIu64 " or more", what, r->min);
	else
		out_say(o, "%s %" PRIu64 " to %" PRIu64, what, r->min, r->max);
	out_open(o, "conditions");
	out_str(o, "of", key);
	out_num(o, "min", r->min);
	if (r->max != UINT64_MAX)
		out_num(o, "max", r->max);
	out_close(o);
}

static void put_ranges(struct out *o, const struct db_member *m)
{
	static const struct {
		const char *words, *key;
	} ranges[DB_MEMBER_RANGES] = {
	    [DB_MEMBER_CONTAINER] = {"the size of the container in bytes is", "container_size"},
	    [DB_MEMBER_STORED] = {"the size of the member inside of it is", "stored_size"},
	    [DB_MEMBER_REAL] = {"the size of the member's content is", "real_size"},
	    [DB_MEMBER_POSITION] = {"the number of the member in the container is", "position"},
	};
	for (unsigned i = 0; i < DB_MEMBER_RANGES; i++)
		put_range(o, ranges[i].words, ranges[i].key, &m->range[i]);
}

static void put_member(struct out *o, const struct db_view *db, const struct db_member *m)
{
	out_say(o, "Found when a container (%s) has a member for which all of these hold:",
	        m->container < FILETYPES ? filetype_name((enum file_type)m->container) : "of any type");
	out_open(o, "members");
	if (m->container < FILETYPES)
		out_str(o, "container", filetype_name((enum file_type)m->container));
	out_bool(o, "pua", m->nameref & DB_NAMEREF_PUA);
	if (m->regex != DB_NO_TEXT) {
		out_say(o, "its name fits the regular expression ");
		out_text(o, (const uint8_t *)db->member_text + m->regex, m->regex_len);
		out_open(o, "conditions");
		out_hex(o, "name", (const uint8_t *)db->member_text + m->regex, m->regex_len);
		out_close(o);
	}
	if (m->encrypted < DB_MEMBER_ANY) {
		out_say(o, m->encrypted ? "it is encrypted" : "it is not encrypted");
		out_item(o, "conditions");
	}
	if (m->has_crc) {
		out_say(o, "its CRC-32 is %08" PRIx32, m->crc);
		out_item(o, "conditions");
	}
	put_ranges(o, m);
	out_close(o);
}

void explain_members(struct out *o, const struct db_view *db, uint32_t index)
{
	for (size_t i = 0; i < db->nmember && o->st == ST_OK; i++)
		if ((db->member[i].nameref & DB_NAMEREF_INDEX) == index)
			put_member(o, db, &db->member[i]);
}
