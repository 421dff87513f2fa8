/* Listening sockets of servers: made before the jail closes, or inherited. */
#ifndef VITRINE_NET_HTTP_LISTEN_H
#define VITRINE_NET_HTTP_LISTEN_H

#include "base/st.h"

/* "127.0.0.1:65535", "[::1]:65535" with NUL */
#define HTTP_NAME_MAX 64

/* Makes a listening socket. `where`: ADDRESS:PORT or [ADDRESS]:PORT, a numeric address or
 * "localhost"; port 0 is a free one. ret_name says what it became. */
st_t http_listen(const char *where, int *ret_sock, char ret_name[HTTP_NAME_MAX], struct err *e);

/* For a socket that was inherited (systemd: descriptor 3): a TCP socket that listens, or
 * ST_MALFORMED. Makes it non-blocking. */
st_t http_listen_inherited(int sock, char ret_name[HTTP_NAME_MAX], struct err *e);

#endif
