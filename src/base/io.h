/* Whole reads and writes on descriptors. */
#ifndef VITRINE_BASE_IO_H
#define VITRINE_BASE_IO_H

#include "base/st.h"

#include <stddef.h>
#include <stdint.h>

/* Closes *fd unless it is -1 and sets it to -1; for the cleanup attribute. */
void fd_closep(int *fd);
#define AUTO_FD __attribute__((cleanup(fd_closep))) int

/* Reads up to n bytes at `off`, going on after short reads; fewer only at the end of the file. */
st_t io_pread_full(int fd, void *ret_buf, size_t n, uint64_t off, size_t *ret_n, struct err *e);

/* Writes all n bytes. */
st_t io_write_all(int fd, const void *p, size_t n, struct err *e);

#endif
