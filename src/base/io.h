/* Whole reads and writes on descriptors. */
#ifndef VITRINE_BASE_IO_H
#define VITRINE_BASE_IO_H

#include "base/buf.h"
#include "base/st.h"

#include <stddef.h>
#include <stdint.h>

/* Closes *fd unless it is -1 and sets it to -1; for the cleanup attribute. */
void fd_closep(int *fd);
#define AUTO_FD __attribute__((cleanup(fd_closep))) int

/* Reads up to n bytes at `off`, going on after short reads; fewer only at the end of the file. */
st_t io_pread_full(int fd, void *ret_buf, size_t n, uint64_t off, size_t *ret_n, struct err *e);

/* Appends the first bytes of a file to ret, at most n; fewer only at its end. To refuse what is
 * longer than a limit, ask for a byte more. `what` names the file where memory runs out. */
st_t io_read_up_to(int fd, size_t n, const char *what, struct buf *ret, struct err *e);

/* Writes all n bytes. */
st_t io_write_all(int fd, const void *p, size_t n, struct err *e);

#endif
