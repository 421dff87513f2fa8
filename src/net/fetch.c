#include "net/fetch.h"

st_t fetch_one(const struct fetch *f, const struct fetch_request *r, struct fetch_response *ret,
               struct err *e)
{
	TRY(f->ops->submit(f->ctx, r, e));
	return f->ops->next(f->ctx, -1, ret, e);
}
