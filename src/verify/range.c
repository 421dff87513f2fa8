/* Offsets: where in this object may a pattern start? (doc/format/signatures.md, "Offsets") */
#include "verify/view.h"

#include "base/num.h"

/* base + n, if that is a place in the object. */
static bool moved(const struct view *v, uint64_t base, int64_t n, uint64_t *ret)
{
	uint64_t back = n < 0 ? (uint64_t)-n : 0, at = base - back;
	if (base < back || (n > 0 && !num_add_u64(base, (uint64_t)n, &at)))
		return false;
	*ret = at;
	return at <= v->size;
}

static const struct exe_section *section(const struct view *v, const struct db_pattern *p)
{
	if (!v->exe || !v->exe->valid)
		return NULL;
	uint32_t n = v->exe->nsections;
	uint32_t i = p->off_kind == DB_OFF_LAST_SECTION ? n - 1 : p->off_section;
	return n > 0 && i < n ? &v->exe->sections[i] : NULL;
}

bool pattern_origin(const struct view *v, const struct db_pattern *p, uint64_t *ret)
{
	const struct exe_section *s;
	switch (p->off_kind) {
	case DB_OFF_ABS:
		return moved(v, 0, p->off_n, ret);
	case DB_OFF_EOF:
		if (v->facts->in_windows)
			return false;
		return moved(v, v->size, -p->off_n, ret);
	case DB_OFF_EP:
		return v->exe && v->exe->valid && v->exe->has_ep && moved(v, v->exe->ep, p->off_n, ret);
	case DB_OFF_SECTION:
	case DB_OFF_LAST_SECTION:
		s = section(v, p);
		return s && moved(v, s->off, p->off_n, ret);
	case DB_OFF_IN_SECTION:
		s = section(v, p);
		return s && moved(v, s->off, 0, ret);
	case DB_OFF_VERSION_INFO:
		if (!v->exe || v->exe->nversion_keys == 0)
			return false;
		return moved(v, v->exe->version_key[0], 0, ret);
	default:
		*ret = 0;
		return true;
	}
}

uint64_t pattern_shift(const struct view *v, const struct db_pattern *p)
{
	if (p->off_kind == DB_OFF_ANY)
		return SIZE_MAX;
	/* As in clamscan, it is the start that lies in the section; the match may reach out of it. */
	if (p->off_kind == DB_OFF_IN_SECTION)
		return p->off_shift + num_min_u64(section(v, p)->size, v->size);
	if (p->off_kind == DB_OFF_VERSION_INFO)
		return p->off_shift + v->exe->version_key[v->exe->nversion_keys - 1] -
		       v->exe->version_key[0];
	return p->off_shift;
}

bool is_version_key(const struct view *v, size_t at, uint32_t shift)
{
	const uint64_t *key = v->exe->version_key;
	uint32_t lo = 0, hi = v->exe->nversion_keys; /* before lo: <= at, from hi on: > at */
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (key[mid] <= at)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo > 0 && at - key[lo - 1] <= shift;
}

bool pattern_range(const struct view *v, const struct db_pattern *p, struct place_range *ret)
{
	uint64_t at;
	if (p->min_len > v->size || !pattern_origin(v, p, &at))
		return false;
	uint64_t last = v->size - p->min_len, shift = pattern_shift(v, p);
	if (shift < last && at < last - shift)
		last = at + shift;
	*ret = (struct place_range){.first = (size_t)at, .last = (size_t)last};
	return at <= last;
}

bool pattern_place(const struct view *v, const struct db_pattern *p, size_t *ret)
{
	uint64_t at;
	if (!pattern_origin(v, p, &at))
		return false;
	*ret = (size_t)at;
	return true;
}
